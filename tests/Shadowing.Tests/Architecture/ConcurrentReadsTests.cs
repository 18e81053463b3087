using System.Text.RegularExpressions;

namespace Shadowing.Tests.Architecture;

/// <summary>
/// LINQ copies a collection that knows its count: it asks for the count, then for a copy of that length. A concurrent dictionary that has
/// grown between the two throws. Its own <c>Keys</c>, <c>Values</c> and <c>ToArray</c> are copies of one moment.
/// </summary>
public sealed partial class ConcurrentReadsTests
{
    [Fact]
    public void No_concurrent_dictionary_is_copied_by_LINQ()
    {
        var files = Sources.Lines(".cs").ToLookup(line => line.Place.Split(':')[0]);
        var declared = (
            from file in files
            from line in file
            from declaration in Declaration().Matches(line.Text)
            select (file, Name: declaration.Groups[1].Value)).ToArray();
        Assert.NotEmpty(declared);
        Assert.Empty(
            from dictionary in declared
            let copied = new Regex($@"\b{dictionary.Name}\.(?:Order|ToList|ToHashSet|ToDictionary|ToLookup|Reverse)|\.\. {dictionary.Name}\b[^.]")
            from line in dictionary.file
            where copied.IsMatch(line.Text)
            select line.Place);
    }

    [GeneratedRegex(@"ConcurrentDictionary<.+> (\w+) =")]
    private static partial Regex Declaration();
}
