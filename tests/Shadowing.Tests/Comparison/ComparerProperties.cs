using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Shadowing.Comparison;

namespace Shadowing.Tests.Comparison;

/// <summary>For any answers at all: the comparer agrees with a slow, obvious oracle, and says where they differ.</summary>
public sealed partial class ComparerProperties
{
    private static readonly ResultComparer<Node> Comparer = new();

    private static readonly Gen<string?> Text = Gen.Select(Gen.Int[0, 2], Gen.String[0, 3], (kind, text) => kind == 0 ? null : text);

    private static readonly Gen<Node> Flat = Gen.Select(Gen.Int[0, 3], Text, Gen.Int[0, 2].Nullable(), Gen.Long[0, 5], (id, text, count, ticks) =>
        new Node(id, text, count, new DateTime(2026, 1, 1).AddTicks(ticks), null, [], []));

    private static readonly Gen<Node> Nodes = Gen.Select(Flat, Flat, Flat.List[0, 4], Gen.Dictionary(Gen.String[1, 1], Gen.Int[0, 2])[0, 3], Gen.Bool,
        (node, child, children, tags, hasChild) => node with { Child = hasChild ? child : null, Children = children, Tags = tags });

    [Fact]
    public void Equal_exactly_when_the_oracle_says_so() =>
        Gen.Select(Nodes, Nodes).Sample((left, right) => Comparer.Compare(left, right).IsSame == (Oracle(left) == Oracle(right)));

    [Fact]
    public void Anything_equals_a_copy_of_itself() => Nodes.Sample(node => Comparer.Compare(node, Copy(node)).IsSame);

    [Fact]
    public void The_sides_may_be_exchanged() => Gen.Select(Nodes, Nodes).Sample((left, right) =>
        Comparer.Compare(left, right).Differences.Select(difference => (difference.Path, Mirrored(difference.Kind))).Order()
            .SequenceEqual(Comparer.Compare(right, left).Differences.Select(difference => (difference.Path, difference.Kind)).Order()));

    [Fact]
    public void A_path_leads_to_the_values_that_differ() => Gen.Select(Nodes, Nodes).Sample((left, right) =>
    {
        foreach (var difference in Comparer.Compare(left, right).Differences.Where(difference => difference.Kind is DifferenceKind.Value))
        {
            Assert.Equal(difference.Control, At(left, difference.Path));
            Assert.Equal(difference.Candidate, At(right, difference.Path));
        }
    });

    [Fact]
    public void A_difference_planted_anywhere_is_found_there_and_nowhere_else() =>
        Gen.Select(Nodes.Where(node => node.Children.Count > 0), Gen.Int[0, 5]).Sample((node, where) =>
        {
            var (planted, path) = Plant(node, where);
            Assert.Equal([path], Comparer.Compare(node, planted).Differences.Select(difference => difference.Path));
        });

    private static (Node Planted, string Path) Plant(Node node, int where)
    {
        var last = node.Children.Count - 1;
        return where switch
        {
            0 => (node with { Text = node.Text + "!" }, "text"),
            1 => (node with { Count = node.Count is null ? 0 : null }, "count"),
            2 => (node with { At = node.At.AddMicroseconds(1) }, "at"),
            3 => (node with { Child = node.Child is null ? node : null }, "child"),
            4 => (node with { Children = [.. node.Children.Take(last), node.Children[last] with { Id = -1 }] }, $"children[{last}].id"),
            _ => (node with { Tags = new(node.Tags) { ["new"] = 1 } }, "tags[new]"),
        };
    }

    private static DifferenceKind Mirrored(DifferenceKind kind) => kind switch
    {
        DifferenceKind.MissingRow => DifferenceKind.ExtraRow,
        DifferenceKind.ExtraRow => DifferenceKind.MissingRow,
        _ => kind,
    };

    /// <summary>Everything written out in one text.</summary>
    private static string Oracle(Node? node)
    {
        if (node is null) return "null";
        var text = new StringBuilder();
        text.Append(JsonSerializer.Serialize(node.Id)).Append('|').Append(JsonSerializer.Serialize(node.Text)).Append('|')
            .Append(JsonSerializer.Serialize(node.Count)).Append('|').Append(node.At.Ticks).Append("|{").Append(Oracle(node.Child)).Append("}|[")
            .AppendJoin(',', node.Children.Select(Oracle)).Append("]|")
            .AppendJoin(',', node.Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => JsonSerializer.Serialize(tag)));
        return text.ToString();
    }

    private static Node Copy(Node node) => node with
    {
        Text = node.Text is null ? null : new string(node.Text.AsSpan()),
        Child = node.Child is null ? null : Copy(node.Child),
        Children = [.. node.Children.Select(Copy)],
        Tags = new(node.Tags),
    };

    /// <summary>Walks a path by reflection, as a reader of it would.</summary>
    private static object? At(object? value, string path)
    {
        foreach (Match step in Step().Matches(path))
        {
            value = step.Value[0] == '['
                ? value is Dictionary<string, int> tags ? tags[step.Value[1..^1]] : ((List<Node>)value!)[int.Parse(step.Value[1..^1], System.Globalization.CultureInfo.InvariantCulture)]
                : value!.GetType().GetProperties().Single(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name) == step.Value).GetValue(value);
        }

        return value;
    }

    [GeneratedRegex(@"\[(?s:.)[^\]]*\]|\w+")]
    private static partial Regex Step();

    public sealed record Node(int Id, string? Text, int? Count, DateTime At, Node? Child, List<Node> Children, Dictionary<string, int> Tags);
}
