using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Shadowing.Evidence;

namespace Shadowing.Intercepting;

/// <summary>
/// What code compared interfaces rest on: of each side all types of its assembly with the libraries that it uses, and what both share.
/// Where the sides are in one assembly, any change of it is a new candidate and a new control.
/// </summary>
/// <param name="Rules">The interfaces' assembly, and the code that compares and judges.</param>
internal sealed record SideCode(string Candidate, string Control, string Rules)
{
    private static readonly string[] Framework =
        ["System", "Microsoft.Extensions", "Microsoft.AspNetCore", "netstandard", "mscorlib", "Shadowing"];

    /// <summary>What evidence is counted for: all three, on a schema.</summary>
    public string On(string schema) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Candidate, Control, Rules, schema))))[..12];

    /// <param name="judging">The types whose code decides what is equal and what a difference means.</param>
    public static SideCode Compute(IReadOnlyList<ComparedInterface> compared, IEnumerable<Type> judging) => new(
        OfSide(compared.Select(one => one.Candidate.Assembly)), OfSide(compared.Select(one => one.Control.Assembly)),
        CodeFingerprint.Compute(
            [.. compared.Select(one => one.Compared.Assembly).Distinct().SelectMany(Types), .. judging.Distinct()],
            compared.SelectMany(one => one.Experiments).Select(experiment => experiment.Operation)));

    private static string OfSide(IEnumerable<Assembly> assemblies)
    {
        Assembly[] own = [.. assemblies.Distinct()];
        return CodeFingerprint.Compute(
            own.SelectMany(Types),
            own.SelectMany(assembly => assembly.GetReferencedAssemblies())
                .Where(library => !Framework.Any(known => library.Name!.StartsWith(known, StringComparison.Ordinal)))
                .DistinctBy(library => library.FullName).OrderBy(library => library.FullName, StringComparer.Ordinal)
                .Select(library => CodeFingerprint.VersionOf(Assembly.Load(library))));
    }

    private static IEnumerable<Type> Types(Assembly assembly) => assembly.GetTypes().Where(type => !type.IsNested);
}
