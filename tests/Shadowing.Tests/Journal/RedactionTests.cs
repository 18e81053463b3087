using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Journal;

namespace Shadowing.Tests.Journal;

/// <summary>Nothing that is kept shows a text, a part of one, or what a guess could be tested against: for any text, by drawing many.</summary>
public sealed class RedactionTests
{
    private const int Draws = 150;
    private const int LongestPart = 3;

    /// <summary>Letters that no name, path or word of ours has: whatever is kept of a text is a part of it.</summary>
    private const string Letters = "ЖЩЪЫЭЮЯжщъыэюяΔΘΛΞΣΦΨΩδθλξσφψω漢字仮名交文𝔘𝔙𝔚'\"\\%_{}[]<>&\n\t";

    [Fact]
    public async Task No_part_of_any_text_is_kept_and_no_hash_is_the_same_twice()
    {
        var random = new Random(7);
        await using var engine = await new Engine().StartAsync();
        var journal = engine.Services.GetRequiredService<MismatchJournal>();
        var (hashes, last) = (new HashSet<string>(), DateTimeOffset.MinValue);
        for (var draw = 0; draw < Draws; draw++)
        {
            var (text, other, asked) = (Draw(random), Draw(random), Draw(random));
            engine.Control = Engine.Saying(text);
            engine.Candidate = Wrong(draw % 6, text, other);
            await engine.AskAsync(asked);
            await engine.SettledAsync();
            var groups = journal.Read();
            var kept = JsonSerializer.Serialize(groups, Plain);
            Assert.All((string[])[text, other, asked], value => Assert.All(Parts(value), part => Assert.DoesNotContain(part, kept, StringComparison.OrdinalIgnoreCase)));
            // Where nothing could be confirmed in time there is no new one.
            if (groups.SelectMany(group => group.Samples).MaxBy(sample => sample.At) is not { } sample || sample.At == last) continue;
            last = sample.At;
            string?[] own =
            [
                .. sample.Parameters.Select(one => one.Value.Hash),
                .. sample.Differences.SelectMany(one => (string?[])[one.Control.Hash, one.Candidate.Hash]),
            ];
            Assert.All(own.OfType<string>().Distinct(), hash => Assert.True(hashes.Add(hash), "A hash came twice."));
        }

        Assert.True(hashes.Count > Draws);
    }

    private static JsonSerializerOptions Plain { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static Func<Question, CancellationToken, Task<Answer>> Wrong(int kind, string text, string other) => kind switch
    {
        0 => Engine.Saying(other),
        1 => Engine.Saying(text + other),
        2 => Engine.Saying(text[..^2]),
        3 => Engine.Saying(""),
        4 => (_, _) => Task.FromResult(new Answer(text, 1, [new(1, other)])),
        _ => Engine.Failing(new InvalidOperationException($"There is no {text}.")),
    };

    private static string Draw(Random random)
    {
        var letters = Letters.EnumerateRunes().ToArray();
        return string.Concat(Enumerable.Range(0, random.Next(6, 20)).Select(_ => letters[random.Next(letters.Length)].ToString()));
    }

    /// <summary>Each part of three characters that has a letter of the alphabet that is not plain ASCII.</summary>
    private static IEnumerable<string> Parts(string text) =>
        from start in Enumerable.Range(0, Math.Max(0, text.Length - LongestPart))
        let part = text.Substring(start, LongestPart)
        where part.Any(letter => letter > 127) && !char.IsLowSurrogate(part[0]) && !char.IsHighSurrogate(part[^1])
        select part;
}
