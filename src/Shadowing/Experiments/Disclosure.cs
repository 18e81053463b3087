namespace Shadowing.Experiments;

/// <summary>
/// What may be kept unchanged of an operation's requests and answers. All else is kept as a keyed hash and the shape of the difference.
/// </summary>
/// <param name="Words">
/// Texts that are not personal data in any member, such as the names of states and roles; compared exactly. The default is none.
/// </param>
/// <param name="Parameters">
/// Members of the request, in camelCase with dots, that are kept although they are neither ids nor enums, such as <c>asOf</c>.
/// </param>
public sealed record Disclosure(IReadOnlySet<string> Words, IReadOnlySet<string> Parameters)
{
    /// <summary>Keeps only whole numbers, enums and booleans of the request.</summary>
    public static Disclosure IdsAndEnums { get; } = new(new HashSet<string>(), new HashSet<string>());
}
