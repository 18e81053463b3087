using System.Reflection;
using System.Runtime.CompilerServices;
using Shadowing.AspNetCore.Hosting;
using Shadowing.Hosting;
using Shadowing.Postgres.Hosting;

namespace Shadowing.Tests.Architecture;

/// <summary>
/// What a package shows is what its file <c>PublicApi.txt</c> says: a member that becomes public, or changes, is seen in a review. To
/// approve a change, run this class with <c>SHADOW_APPROVE=1</c> and commit the files.
/// </summary>
public sealed class PublicApiTests
{
    private static readonly (string Package, Assembly Assembly)[] Packages =
    [
        ("Shadowing", typeof(ShadowingReport).Assembly), ("Shadowing.Postgres", typeof(ShadowingPostgres).Assembly),
        ("Shadowing.AspNetCore", typeof(ShadowingEndpoints).Assembly),
    ];

    public static TheoryData<string> Names => [.. Packages.Select(package => package.Package)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_package_shows_what_its_file_approves(string package)
    {
        var file = Path.Combine(Sources.Root, "src", package, "PublicApi.txt");
        string[] shown = [.. Packages.Single(one => one.Package == package).Assembly.GetExportedTypes()
            .SelectMany(Lines).Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("SHADOW_APPROVE") == "1")
            await File.WriteAllLinesAsync(file, shown, TestContext.Current.CancellationToken);
        var approved = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        Assert.Empty(shown.Except(approved));
        Assert.Empty(approved.Except(shown));
    }

    /// <summary>The type, and its members that it declares and that are public or for derived types; a record by its constructor.</summary>
    private static IEnumerable<string> Lines(Type type)
    {
        var name = Name(type);
        yield return $"type {name} : {string.Join(", ", type.GetInterfaces().Prepend(type.BaseType).OfType<Type>().Select(Name).Order(StringComparer.Ordinal))}";
        const BindingFlags Declared =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var member in type.GetMembers(Declared).Where(IsShown))
        {
            yield return member switch
            {
                MethodInfo method => $"{name}.{method.Name}{Generic(method)}({Parameters(method)}) : {Name(method.ReturnType)}",
                ConstructorInfo constructor => $"{name}({Parameters(constructor)})",
                FieldInfo field => $"{name}.{field.Name} : {Name(field.FieldType)}",
                PropertyInfo property => $"{name}.{property.Name} {Accessors(property)}: {Name(property.PropertyType)}",
                EventInfo happening => $"{name}.{happening.Name} : {Name(happening.EventHandlerType!)}",
                _ => "",
            };
        }
    }

    private static bool IsShown(MemberInfo member) => member switch
    {
        MethodInfo method => IsShown(method) && !method.IsSpecialName && !IsWrittenByCompiler(method),
        ConstructorInfo constructor => IsShown(constructor) && !IsWrittenByCompiler(constructor),
        FieldInfo field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsShown) && !IsWrittenByCompiler(property),
        EventInfo happening => IsShown(happening.AddMethod!),
        _ => false,
    };

    private static bool IsShown(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsWrittenByCompiler(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute));

    private static string Accessors(PropertyInfo property) =>
        string.Concat(property.GetAccessors(nonPublic: true).Where(IsShown).Select(accessor => accessor.Name[..3] + " "));

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"));

    private static string Generic(MethodInfo method) =>
        method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Name(Type type) => type switch
    {
        { IsGenericParameter: true } => type.Name,
        { IsArray: true } => Name(type.GetElementType()!) + "[]",
        { IsByRef: true } => Name(type.GetElementType()!) + "&",
        { IsGenericType: true } => $"{(type.FullName ?? type.Name).Split('`')[0].Replace('+', '.')}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => (type.FullName ?? type.Name).Replace('+', '.'),
    };
}
