using System.Text.RegularExpressions;

namespace Shadowing.Tests.Architecture;

/// <summary>Two families: what is called Shadowing is for any team, what is called Ticketing is the service.</summary>
public sealed partial class FamiliesTests
{
    private const int LongestLine = 140;

    /// <summary>What a project of the first family may refer to directly; one that is not named may not be there.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Shadowing"] = [],
        ["Shadowing.Postgres"] = ["Shadowing"],
        ["Shadowing.EntityFrameworkCore"] = ["Shadowing"],
        ["Shadowing.AspNetCore"] = ["Shadowing", "Shadowing.Postgres", "Shadowing.EntityFrameworkCore"],
        ["Shadowctl"] = [],
    };

    [Fact]
    public void Projects_of_the_first_family_refer_in_one_direction_and_never_to_the_service()
    {
        var first = Sources.References.Where(project => IsShadowing(project.Key)).ToDictionary();
        Assert.Equal(Arrows.Keys.Order(), first.Keys.Order());
        Assert.All(first, project => Assert.Subset(Arrows[project.Key].ToHashSet(), project.Value.ToHashSet()));
    }

    [Fact]
    public void Neither_side_can_see_the_other()
    {
        Assert.DoesNotContain("Ticketing.EntityFrameworkCore", Sources.Reach("Ticketing.Dapper"));
        Assert.DoesNotContain("Ticketing.Dapper", Sources.Reach("Ticketing.EntityFrameworkCore"));
    }

    [Fact]
    public void The_control_and_what_both_sides_share_know_nothing_of_shadowing()
    {
        Assert.DoesNotContain(Sources.Reach("Ticketing.Dapper"), IsShadowing);
        Assert.DoesNotContain(Sources.Reach("Ticketing"), IsShadowing);
    }

    [Fact]
    public void The_first_family_has_no_word_of_the_service() => Assert.Empty(
        from line in Sources.Lines(".cs", ".csproj", ".txt")
        where IsShadowing(line.Place) && Word().IsMatch(Allowed().Replace(line.Text, ""))
        select $"{line.Place} {line.Text.Trim()}");

    [Fact]
    public void No_line_is_longer_than_a_reader_can_see() =>
        Assert.Empty(Sources.Lines(".cs").Where(line => line.Text.Length > LongestLine).Select(line => line.Place));

    /// <summary>A method called <c>Of</c> cannot be searched for.</summary>
    [Fact]
    public void No_method_is_called_Of() =>
        Assert.Empty(Sources.Lines(".cs").Where(line => UnsearchableName().IsMatch(line.Text)).Select(line => line.Place));

    [Fact]
    public void Comments_say_who_is_meant() => Assert.Empty(
        from line in Sources.Lines(".cs")
        where CommentLine().IsMatch(line.Text) && VaguePerson().IsMatch(Code().Replace(line.Text, ""))
        select $"{line.Place} {line.Text.Trim()}");

    private static bool IsShadowing(string name) => name.StartsWith("Shadow", StringComparison.Ordinal);

    /// <summary>Words of its domain, and names of its tables and their columns.</summary>
    [GeneratedRegex("""ticket|support_|[._"]comments?\b|\bcomments\b|assigned|assignee|[._"]category""", RegexOptions.IgnoreCase)]
    private static partial Regex Word();

    [GeneratedRegex(@"[\w>?\])] Of(<\w+>)?\(")]
    private static partial Regex UnsearchableName();

    /// <summary>The product's name, and a function of PostgreSQL's.</summary>
    [GeneratedRegex("ShadowTicketing|pg_current_xact_id_if_assigned")]
    private static partial Regex Allowed();

    [GeneratedRegex(@"^\s*//")]
    private static partial Regex CommentLine();

    /// <summary>Words that do not say which person or transaction is meant: the caller, the operator, another transaction.</summary>
    [GeneratedRegex(@"\b(somebody|nobody|anybody|whoever|whomever|whence)\b", RegexOptions.IgnoreCase)]
    private static partial Regex VaguePerson();

    /// <summary>Names in comments, such as the Unix user <c>nobody</c>.</summary>
    [GeneratedRegex("<c>.*?</c>")]
    private static partial Regex Code();
}
