using System.Reflection;

namespace Shadowing.Intercepting;

/// <summary>How the calls of one method of a compared interface are taken.</summary>
/// <param name="Index">Of its experiment; -1 where the control alone answers it.</param>
internal sealed record InterceptedMethod(MethodInfo Method, int Index)
{
    private readonly ParameterInfo[] _all = Method.GetParameters();

    /// <summary>Whether its answers are compared.</summary>
    public bool IsCompared => Index >= 0;

    /// <summary>Its parameters but the cancellation token.</summary>
    public IReadOnlyList<ParameterInfo> Parameters => [.. _all.Where(parameter => parameter.ParameterType != typeof(CancellationToken))];

    /// <summary>Its cancellation token; null where it has none.</summary>
    public ParameterInfo? Cancellation => Array.Find(_all, parameter => parameter.ParameterType == typeof(CancellationToken));

    /// <summary>
    /// Whether its parameters are put into an emitted request, which is so unless the only one is an object of the application's.
    /// </summary>
    public bool IsPacked => Parameters is not [{ ParameterType: { IsClass: true } type }] || type == typeof(string) || type.IsArray;

    /// <summary>The type of its requests.</summary>
    public Type RequestType => IsPacked ? EmittedTypes.RequestFor(Method, Parameters) : Parameters[0].ParameterType;

    /// <summary>The type of its answers.</summary>
    public Type ResultType => AnswerOf(Method.ReturnType) ?? typeof(NoAnswer);

    /// <summary>Why calls cannot be compared, as the end of a sentence; null where they can.</summary>
    public static string? WhyNotCompared(MethodInfo method)
    {
        var parameters = method.GetParameters();
        return method switch
        {
            { IsSpecialName: true } => "it is a property or an event",
            _ when !IsTask(method.ReturnType) => "it returns no task",
            _ when parameters.Any(parameter => parameter.ParameterType.IsByRef || parameter.ParameterType.IsByRefLike) =>
                "it has a parameter by reference",
            _ when parameters.Count(parameter => parameter.ParameterType == typeof(CancellationToken)) > 1 =>
                "it has several cancellation tokens",
            _ => null,
        };
    }

    private static bool IsTask(Type type) => type == typeof(Task) || type == typeof(ValueTask) || AnswerOf(type) is not null;

    private static Type? AnswerOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>))
            ? type.GetGenericArguments()[0] : null;
}
