using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Experiments;
using Shadowing.Journal;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>A mismatch in the forms in which it is taken elsewhere.</summary>
internal static partial class Copies
{
    public static Html Draw(MismatchGroup group, MismatchSample sample, Experiment? experiment, string address) => Html.From(
        $"""
        <section aria-labelledby="take"><h2 id="take">Take it along</h2>
        {Copy("markdown", "Markdown for an issue", Markdown(group, sample, address))}
        {Copy("test", "A failing xUnit test", Test(group, sample, experiment))}
        {Copy("ctl", "A shadowctl line", $"shadowctl mismatches {group.Signature}")}</section>
        """);

    private static Html Copy(string id, string title, string text) => Html.From(
        $"""
        <details id="copy-{id}" class="copy"><summary>{title}</summary>
        <button type="button" class="quiet" data-copy="text-{id}">Copy</button>
        <pre id="text-{id}" tabindex="0">{text}</pre></details>
        """);

    private static string Markdown(MismatchGroup group, MismatchSample sample, string address)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"## `{group.Operation}` differs: {Pattern(group)}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"**Likely cause:** {Causes.Words(group.Diagnosis.Cause)}. {group.Diagnosis.Evidence}\n");
        text.Append(CultureInfo.InvariantCulture, $"**Where to look:** {group.Diagnosis.LookAt}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Seen {group.Count:N0} times, {group.FirstSeen:u} to {group.LastSeen:u}, ");
        text.Append(CultureInfo.InvariantCulture, $"severity {group.Severity}, builds {string.Join(", ", group.Fingerprints)}.\n");
        text.Append(CultureInfo.InvariantCulture, $"Signature `{group.Signature}`: {address}\n\n| parameter | value |\n|---|---|\n");
        foreach (var parameter in sample.Parameters)
            text.Append(CultureInfo.InvariantCulture, $"| {parameter.Name} | {Plain(parameter.Value)} |\n");
        text.Append("\n| where | kind | control | candidate |\n|---|---|---|---|\n");
        foreach (var one in sample.Differences)
            text.Append(CultureInfo.InvariantCulture, $"| `{one.Path}` | {one.Kind} | {Plain(one.Control)} | {Plain(one.Candidate)} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\nControl:\n```sql\n{string.Join(";\n", sample.ControlSql)}\n```\n");
        text.Append(CultureInfo.InvariantCulture, $"Candidate:\n```sql\n{string.Join(";\n", sample.CandidateSql)}\n```\n");
        return text.ToString();
    }

    /// <summary>
    /// A test that fails for as long as the candidate differs. Values that are not kept must be filled in: each says what is known of it.
    /// </summary>
    private static string Test(MismatchGroup group, MismatchSample sample, Experiment? experiment)
    {
        var types = experiment?.GetType().GetGenericArguments();
        var request = types is [_, { } asked, _] ? Name(asked) : "Request";
        var store = types is [{ } over, _, _] ? Name(over) : "IStore";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"/// <summary>Mismatch {group.Signature}, shape {sample.Shape}: ");
        text.Append(CultureInfo.InvariantCulture, $"{Causes.Words(group.Diagnosis.Cause)}.</summary>\n[Fact]\n");
        text.Append(CultureInfo.InvariantCulture, $"public async Task {Identifier(group.Operation)}_answers_as_the_control_does_");
        text.Append(CultureInfo.InvariantCulture, $"{group.Signature}()\n{{\n    {store} control = Control, candidate = Candidate;\n");
        text.Append(CultureInfo.InvariantCulture, $"    // {request} with:\n");
        foreach (var parameter in sample.Parameters)
            text.Append(CultureInfo.InvariantCulture, $"    //   {parameter.Name} = {OneLine(Plain(parameter.Value))}\n");
        text.Append(CultureInfo.InvariantCulture, $"    {request} request = Request();\n");
        text.Append("    var expected = JsonSerializer.SerializeToNode(await Ask(control, request));\n");
        text.Append("    var actual = JsonSerializer.SerializeToNode(await Ask(candidate, request));\n");
        foreach (var one in sample.Differences)
            text.Append(CultureInfo.InvariantCulture, $"    // {one.Kind} at {OneLine(one.Path.Length == 0 ? "the answer" : one.Path)}\n");
        text.Append("    Assert.True(JsonNode.DeepEquals(expected, actual), $\"{expected}\\n{actual}\");\n}\n");
        return text.ToString();
    }

    private static string Pattern(MismatchGroup group) =>
        string.Join(", ", group.Differences.Select(pattern => $"`{Blockers.Path(pattern.Path)}` {pattern.Kind}")) is { Length: > 0 } text
            ? text : $"{group.Outcome} {group.ErrorType}";

    private static string Plain(Diagnosing.RedactedValue value) => value switch
    {
        { Text: { } text } => text,
        { Length: { } length, Hash: { } hash } => $"{value.Type} of {length} characters, #{hash}",
        { Hash: { } hash } => $"{value.Type}, #{hash}",
        _ => value.Type,
    };

    private static string Name(Type type) => type.IsGenericType ? type.Name.Split('`')[0] : type.Name;

    private static string Identifier(string text) => NoWord().Replace(text, "_");

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    [GeneratedRegex(@"\W+")]
    private static partial Regex NoWord();
}
