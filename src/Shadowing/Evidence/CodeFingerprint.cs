using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Shadowing.Evidence;

/// <summary>
/// A hash of code: of what types declare and of the instructions in their methods, with every token replaced by the name it refers to.
/// Formatting, remarks, log texts, paths and the build itself are left out; everything else that can have an effect is included.
/// </summary>
public static class CodeFingerprint
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Attributes that only tools read.</summary>
    private static readonly string[] ForTools =
        ["System.Diagnostics", "System.Diagnostics.CodeAnalysis", "System.CodeDom.Compiler"];

    /// <summary>Twelve hexadecimal digits over types, including those nested in them.</summary>
    /// <param name="types">In any order.</param>
    /// <param name="more">Other texts that matter, such as the versions of libraries.</param>
    public static string Compute(IEnumerable<Type> types, params IEnumerable<string> more)
    {
        ArgumentNullException.ThrowIfNull(types);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var ordered = types.SelectMany(WithNested).Distinct().OrderBy(type => type.ToString(), StringComparer.Ordinal);
        foreach (var text in ordered.SelectMany(Describe).Concat(more))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            hash.AppendData("\n"u8);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    /// <summary>A library's name and its version, with the build.</summary>
    public static string VersionOf(Assembly library)
    {
        ArgumentNullException.ThrowIfNull(library);
        var build = library.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return $"{library.GetName().FullName} {build}";
    }

    /// <summary>Whether a type belongs to logging. Its texts have no effect on an answer.</summary>
    internal static bool IsOfLogging(Type? type) =>
        type?.Namespace?.StartsWith("Microsoft.Extensions.Logging", StringComparison.Ordinal) is true;

    internal static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static IEnumerable<Type> WithNested(Type type) => type.GetNestedTypes(Declared).SelectMany(WithNested).Prepend(type);

    private static IEnumerable<string> Describe(Type type) =>
    [
        $"type {type} {type.Attributes} : {type.BaseType} {Attributes(type)}",
        .. type.GetInterfaces().Select(one => one.ToString()).Order(StringComparer.Ordinal),
        .. type.GetFields(Declared).Select(Describe).Order(StringComparer.Ordinal),
        .. type.GetProperties(Declared).Select(property => $"property {property} {Attributes(property)}").Order(StringComparer.Ordinal),
        .. type.GetConstructors(Declared).Concat<MethodBase>(type.GetMethods(Declared)).Select(Describe).Order(StringComparer.Ordinal),
    ];

    private static string Describe(FieldInfo field) =>
        $"field {field} {field.Attributes} {(field.IsLiteral ? Text(field.GetRawConstantValue()) : "")} {Attributes(field)}";

    private static string Describe(MethodBase method)
    {
        var parameters = string.Join(", ", method.GetParameters().Select(Describe));
        var head = $"method {method} {method.Attributes} ({parameters}) {Attributes(method)}";
        // The body of a log method is generated from its text.
        var isLogging = method.GetCustomAttributesData().Any(attribute => IsOfLogging(attribute.AttributeType));
        return isLogging || method.GetMethodBody() is not { } body ? head : $"{head}\n{MethodCode.Describe(method, body)}";
    }

    private static string Describe(ParameterInfo parameter) =>
        $"{parameter} {parameter.Attributes} {(parameter.HasDefaultValue ? Text(parameter.RawDefaultValue) : "")} "
        + Join(parameter.GetCustomAttributesData());

    private static string Attributes(MemberInfo member) => Join(member.GetCustomAttributesData());

    private static string Join(IEnumerable<CustomAttributeData> attributes) => string.Join(' ', attributes
        .Where(attribute => !IsOfLogging(attribute.AttributeType) && !ForTools.Contains(attribute.AttributeType.Namespace))
        .Select(attribute => attribute.ToString()).Order(StringComparer.Ordinal));
}
