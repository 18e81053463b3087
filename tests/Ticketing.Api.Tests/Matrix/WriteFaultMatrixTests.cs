using System.Globalization;
using System.Text;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The detector's sharpness for writes: every write line of the divergence catalogue that this schema can express, by ordinary traffic or by a sweep.</summary>
public sealed class WriteFaultMatrixTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Every_wrong_write_is_found_where_it_is_and_named_by_its_cause()
    {
        await using var run = new WriteMatrixRun(postgres);
        var faults = Effort.Some([.. WriteFaults.All.Where(fault => !fault.Provokes.IsRefusedAtTheEdge)], every: 6);
        var found = await run.RunAsync(faults);
        await File.WriteAllTextAsync(
            Environment.GetEnvironmentVariable("SHADOW_WRITE_MATRIX_FILE") ?? Path.Combine(AppContext.BaseDirectory, "WRITES.md"), Report(found),
            TestContext.Current.CancellationToken);

        Assert.Empty(found.Where(detection => !detection.IsFound).Select(detection => detection.Fault.Name));
        foreach (var detection in found)
        {
            FaultTrace[] traces = [.. detection.Differences.Select(difference => new FaultTrace(difference.Path, difference.Kind))];
            // Of several kinds that are declared there, what the row held before decides.
            Assert.True(
                traces.Intersect(detection.Fault.Traces).Any(trace => trace.Path == detection.Fault.Traces[0].Path),
                $"{detection.Fault.Name}: {string.Join(", ", traces.AsEnumerable())}");
            Assert.True(!traces.Except(detection.Fault.Traces).Any(), $"{detection.Fault.Name}: {string.Join(", ", traces.Except(detection.Fault.Traces))}");
            // Rows that are stored wrongly cannot be taken back.
            Assert.Equal(
                traces.Any(trace => trace.Path.StartsWith("rows.", StringComparison.Ordinal)) || detection.Fault.IsLeak,
                detection.Groups.Any(group => group.Severity == "critical"));
        }

        Assert.Empty(found.Where(detection => !detection.IsDiagnosed)
            .Select(detection => $"{detection.Fault.Name}: {string.Join(", ", detection.Causes)} not {string.Join("/", detection.Fault.Causes)}"));
    }

    private static string Report(IReadOnlyList<WriteDetection> found)
    {
        var text = new StringBuilder();
        int[] needed = [.. found.Select(detection => detection.Requests).OfType<int>().Order()];
        text.Append(CultureInfo.InvariantCulture, $"""
            # The planted write faults

            Every write line of the divergence catalogue that the tables can express, as a candidate that makes just this one mistake, under ordinary
            traffic and, where that did not bring it out, under a sweep. Written by `WriteFaultMatrixTests`; the numbers vary a little.

            - {found.Count} faults; {needed.Length} found by traffic, {found.Count(detection => detection.IsSwept)} by a sweep, each at its path and nowhere else.
            - Writes until it had been seen, in rounds: median {needed.ElementAtOrDefault(needed.Length / 2)}, at most {needed.LastOrDefault()}.
            - {found.Count(detection => detection.IsDiagnosed)} of {found.Count} diagnosed rightly by most of their mismatches.

            | line | fault | operation | from → to | writes | path, kind | severity | diagnosis | |
            |---|---|---|---|---:|---|---|---|---|

            """);
        foreach (var detection in found)
        {
            var fault = detection.Fault;
            var traces = string.Join("<br>", detection.Differences.Take(4).Select(difference => $"{(difference.Path.Length == 0 ? "the answer" : $"`{difference.Path}`")} {difference.Kind}"))
                + (detection.Differences.Count > 4 ? $"<br>and {detection.Differences.Count - 4} more" : "");
            var causes = string.Join("<br>", detection.Causes.Take(3).Select(cause => $"{cause.Key} {100 * cause.Value / Math.Max(1, detection.Causes.Sum(all => all.Value))} %"));
            var severity = detection.Groups.Any(group => group.Severity == "critical") ? "critical" : "normal";
            text.Append(CultureInfo.InvariantCulture,
                $"| {fault.Line} | {fault.Name} | {fault.Operation} | {fault.Change.Replace("|", "\\|", StringComparison.Ordinal)} | {(detection.IsSwept ? "swept" : detection.Requests)} | {traces} | {severity} | {causes} | {(detection.IsDiagnosed ? "right" : $"should be {fault.Causes[0]}")} |\n");
        }

        return text.ToString();
    }
}
