using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using Shadowing.Model;

namespace Shadowing.Tests;

/// <summary>Whatever comes from outside can be stored, logged and shown once it is cleaned.</summary>
public sealed class PlainTextTests
{
    private const string Hurts = "\0\u001b\u0085\u202e\u2066\u2028\u0301\u200d\\\"a ";
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Any UTF-16, with much of what hurts: NUL, halves of pairs, controls, overrides, marks that combine.</summary>
    internal static readonly Gen<string> AnyText = Gen.OneOf(
            Gen.Char, Gen.Int[0, Hurts.Length - 1].Select(i => Hurts[i]), Gen.Char['\ud800', '\udfff'])
        .Array[0, 60].Select(units => new string(units));

    [Fact]
    public void Any_text_becomes_one_that_can_be_kept_and_shown_within_its_bound() =>
        Gen.Select(AnyText, Gen.Int[1, 70]).Sample((text, longest) =>
        {
            var clean = PlainText.Clean(text, longest);
            Assert.True(clean.Length <= longest);
            Strict.GetBytes(clean);
            Assert.DoesNotContain(clean, unit => char.IsControl(unit) || unit is '\u2028' or '\u2029'
                || unit is >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069');
        });

    [Fact]
    public void Cleaning_twice_changes_nothing() => Gen.Select(AnyText, Gen.Int[1, 70]).Sample((text, longest) =>
        PlainText.Clean(PlainText.Clean(text, longest), longest) == PlainText.Clean(text, longest));

    [Theory]
    [InlineData("")]
    [InlineData("CriticalMismatch in tickets.get")]
    [InlineData("Größe · 日本語 · هذا نص · 👩‍👩‍👧‍👦 · e\u0301")]
    public void Printable_text_is_the_same_instance(string text) => Assert.Same(text, PlainText.Clean(text, 100));

    [Theory]
    [InlineData("ab👩‍👩‍👧‍👦c", 6, "ab…")]
    [InlineData("abe\u0301cd", 4, "ab…")]
    [InlineData("aaaa😀", 5, "aaaa…")]
    [InlineData("😀😀", 3, "😀…")]
    [InlineData("a\0b\tc\u001b[31m", 20, "a\uFFFDb c\uFFFD[31m")]
    public void It_is_cut_between_characters_as_readers_count_them(string text, int longest, string clean) =>
        Assert.Equal(clean, PlainText.Clean(text, longest));

    [Fact]
    public void Half_of_a_pair_is_replaced()
    {
        Assert.Equal("a\uFFFDb", PlainText.Clean("a\ud83db"));
        Assert.Equal("\uFFFD", PlainText.Clean("\ude00"));
    }

    [Fact]
    public void One_character_longer_than_the_bound_is_cut_between_code_points()
    {
        var zalgo = "a" + new string('\u0301', 500);
        Assert.Equal(zalgo[..9] + "…", PlainText.Clean(zalgo, 10));
        Assert.Equal(1, new StringInfo(PlainText.Clean(string.Concat(Enumerable.Repeat("👩‍", 50)), 4)[..^1]).LengthInTextElements);
    }

    [Fact]
    public void Keys_that_differ_still_differ_cleaned() => Gen.Select(AnyText, AnyText).Sample((one, other) =>
        (one == other) == (PlainText.Key(one, 32) == PlainText.Key(other, 32)) && PlainText.Key(one, 32).Length <= 32);

    [Fact]
    public void Any_document_can_be_read_once_it_is_cleaned() => AnyText.Sample(text =>
    {
        var escaped = string.Concat(text.Select(unit => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}")));
        using var read = JsonDocument.Parse(PlainText.Json($"{{\"a\": \"{escaped}\", \"b\": \"\\\\u0000\"}}"));
        Strict.GetBytes(read.RootElement.GetProperty("a").GetString()!);
        Assert.DoesNotContain('\0', read.RootElement.GetProperty("a").GetString()!);
        Assert.Equal("\\u0000", read.RootElement.GetProperty("b").GetString());
    });
}
