using System.Diagnostics.CodeAnalysis;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Shadowing.Evidence;
using Shadowing.Hosting;

namespace Shadowing.Tests.Evidence;

/// <summary>What begins evidence anew and what does not, on code that is compiled in variants.</summary>
public sealed class CodeFingerprintTests
{
    private const string Source =
        """
        using System; using System.Collections.Generic; using System.Linq; using System.Threading.Tasks; using Microsoft.Extensions.Logging;
        namespace Side;
        public sealed record Answer(int Id, string Text);
        public enum Kind { One = 1, Two = 2 }
        public static partial class Log
        {
            [LoggerMessage(1, LogLevel.Warning, "late by {Hours}")]
            public static partial void Late(ILogger logger, int hours);
        }
        // As the generator of log methods writes them.
        partial class Log
        {
            private static readonly Action<ILogger, int, Exception?> __LateCallback =
                LoggerMessage.Define<int>(LogLevel.Warning, new EventId(1, nameof(Late)), "late by {Hours}", new LogDefineOptions());
            public static partial void Late(ILogger logger, int hours)
            {
                if (logger.IsEnabled(LogLevel.Warning)) __LateCallback(logger, hours, null);
            }
        }
        public sealed class Store(ILogger logger)
        {
            private const int Limit = 20;
            private static readonly int[] Widths = [1, 2, 3];
            public IEnumerable<Answer> List(IEnumerable<Answer> rows, int skip = 0)
            {
                logger.LogInformation("listing {Count}", rows.Count());
                return rows.Where(row => row.Id > 5).OrderBy(row => row.Text).Skip(skip).Take(Limit);
            }
            public async Task<double> RateAsync(string of) { await Task.Yield(); return of == "all" ? 0.5 : Widths[0]; }
            public int Number(string text) { try { return int.Parse(text); } catch (FormatException) { return 0; } }
            public bool Near(decimal left, decimal right) => Math.Abs(left - right) < 0.01m;
        }
        """;

    private const string Before =
        "public static class Before { public static string Text() => \"before\"; public static int Sum(long a, System.Guid b) => 1; }";

    private static readonly string Original = Of(Source);

    [Theory]
    [InlineData("namespace Side;", "namespace Side; // A comment.")]
    [InlineData("return rows", "/* Why. */\n\n        return rows")]
    [InlineData("\"listing {Count}\"", "\"{Count} rows are listed\"")]
    [InlineData("\"late by {Hours}\"", "\"{Hours} hours late\"")]
    public void A_comment_a_blank_line_and_a_log_text_change_nothing(string from, string to) =>
        Assert.Equal(Original, Of(Changed(from, to)));

    [Theory]
    [InlineData("row.Id > 5", "row.Id >= 5")]
    [InlineData("row.Id > 5", "row.Id > 6")]
    [InlineData(".OrderBy(", ".OrderByDescending(")]
    [InlineData("row => row.Text)", "row => row.Id)")]
    [InlineData("Limit = 20", "Limit = 21")]
    [InlineData("skip = 0", "skip = 1")]
    [InlineData("0.01m", "0.02m")]
    [InlineData("catch (FormatException)", "catch (OverflowException)")]
    [InlineData("\"all\"", "\"none\"")]
    [InlineData("[1, 2, 3]", "[1, 2, 4]")]
    [InlineData("Two = 2", "Two = 3")]
    [InlineData("(int Id, string Text)", "(long Id, string Text)")]
    [InlineData("(int Id, string Text)", "(int Id, string? Text)")]
    [InlineData("(int Id, string Text)", "(int Id, string Text, int More = 0)")]
    [InlineData("public sealed record Answer", "[Serializable] public sealed record Answer")]
    public void A_query_a_rules_value_a_shared_type_and_an_attribute_each_change_it(string from, string to) =>
        Assert.NotEqual(Original, Of(Changed(from, to)));

    [Fact]
    public void Folder_assembly_name_and_tokens_are_not_in_it()
    {
        Assert.Equal(Original, Of(Source, folder: "/another/folder", name: "Another"));
        // Types and texts before it move every token.
        Assert.Equal(
            Of(Source, type => type.Name == "Store"),
            Of(Before, Source, type => type.Name == "Store"));
    }

    [Fact]
    public void A_librarys_version_changes_it()
    {
        Type[] types = [typeof(CodeFingerprintTests)];
        Assert.NotEqual(CodeFingerprint.Compute(types, "Npgsql 10.0.3"), CodeFingerprint.Compute(types, "Npgsql 10.0.4"));
        Assert.Contains("Shadowing, Version=", CodeFingerprint.VersionOf(typeof(CodeFingerprint).Assembly), StringComparison.Ordinal);
    }

    [Fact]
    public void The_engines_part_is_what_compares_and_judges()
    {
        string[] judges =
        [
            "ResultComparer`1", "ComparisonWalk", "RowAlignment`1", "RowComparison", "PairJudge", "RuleFaults", "Confirmer`1",
            "WriteConfirmer", "ConcurrentChanges", "ShadowComparer`1", "ComparisonRecorder", "CaseHash", "CaseJson",
        ];
        Assert.All(judges, name => Assert.Contains(JudgingCode.Types, type => type.Name == name));
    }

    [Fact]
    public void Telemetry_supervision_settings_registration_and_the_gate_are_not_the_engines_part()
    {
        string[] layers = ["Settings", "Supervision", "Rollout", "Diagnosing", "Journal", "SelfTesting", "Sweeping", "Hosting"];
        Assert.All(layers, layer => Assert.DoesNotContain(JudgingCode.Types, type => type.Namespace == "Shadowing." + layer));
        string[] others = ["ShadowingMeter", "OperationMetrics", "EvidenceMetrics", "ShadowLane", "ExperimentRunner`1", "Gate"];
        Assert.All(others, name => Assert.DoesNotContain(JudgingCode.Types, type => type.Name == name));
    }

    private static string Changed(string from, string to)
    {
        Assert.Contains(from, Source, StringComparison.Ordinal);
        return Source.Replace(from, to, StringComparison.Ordinal);
    }

    private static string Of(string source, string folder = "/a/folder", string name = "Side") =>
        Of([source], _ => true, folder, name);

    private static string Of(string source, Func<Type, bool> which) => Of([source], which, "/a/folder", "Side");

    private static string Of(string before, string source, Func<Type, bool> which) => Of([before, source], which, "/a/folder", "Side");

    [SuppressMessage("Reliability", "CA2000", Justification = "A load context is collected, not disposed.")]
    private static string Of(string[] sources, Func<Type, bool> which, string folder, string name)
    {
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(file => MetadataReference.CreateFromFile(file));
        var trees = sources.Select((source, number) => CSharpSyntaxTree.ParseText(source, path: $"{folder}/{number}.cs"));
        var compilation = CSharpCompilation.Create(name, trees, libraries, new(
            OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release,
            nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        image.Position = 0;
        var context = new AssemblyLoadContext(name, isCollectible: true);
        return CodeFingerprint.Compute(context.LoadFromStream(image).GetTypes().Where(type => !type.IsNested && which(type)));
    }
}
