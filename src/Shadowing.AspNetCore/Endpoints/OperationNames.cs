namespace Shadowing.AspNetCore.Endpoints;

/// <summary>Operations by what operators call them.</summary>
internal static class OperationNames
{
    /// <summary>The operation of the name, or the only one whose last word it is: <c>list</c> for <c>orders.list</c>.</summary>
    public static string? Full(IEnumerable<string> operations, string name)
    {
        var all = operations.ToArray();
        if (all.Contains(name)) return name;
        string[] ending = [.. all.Where(operation => operation.EndsWith($".{name}", StringComparison.Ordinal))];
        return name.Contains('.', StringComparison.Ordinal) || ending is not [var only] ? null : only;
    }
}
