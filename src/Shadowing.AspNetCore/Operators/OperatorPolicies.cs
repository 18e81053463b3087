namespace Shadowing.AspNetCore.Operators;

/// <summary>The names of the authorization policies.</summary>
internal static class OperatorPolicies
{
    /// <summary>Of routes that only look.</summary>
    public const string MayView = "shadow.view";

    /// <summary>Of routes that change something.</summary>
    public const string MayOperate = "shadow.operate";

    /// <summary>Of the webhook.</summary>
    public const string MayAlert = "shadow.alert";

    /// <summary>Of the console's pages.</summary>
    public const string ConsoleView = "shadow.console.view";

    /// <summary>Of the console's forms.</summary>
    public const string ConsoleOperate = "shadow.console.operate";
}
