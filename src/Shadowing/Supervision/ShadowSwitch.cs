using Shadowing.Settings;

namespace Shadowing.Supervision;

/// <summary>Whether anything runs in the shadow. Each reason alone switches it off.</summary>
public sealed class ShadowSwitch
{
    private readonly Lock _change = new();
    private volatile bool _hasSandbox = true;
    private volatile string[] _reasons = [WarmingUp, RolloutUnknown];

    /// <summary>The sides have not been warmed up yet. Holds from the start until lifted.</summary>
    public const string WarmingUp = "warming_up";

    /// <summary>The store has not sent the rollout's states yet. Holds from the start until it has.</summary>
    public const string RolloutUnknown = "rollout_unknown";

    /// <summary><see cref="ShadowingOptions.Enabled"/> is false.</summary>
    public const string Disabled = "disabled";

    /// <summary>The kill file exists.</summary>
    public const string KillFile = "kill_file";

    /// <summary>The shadow's role or the schema does not fulfil what shadowing needs.</summary>
    public const string CriticalFinding = "critical_finding";

    /// <summary>The served position and the shadow's do not see the same rows, as repeated comparisons on one snapshot showed.</summary>
    public const string PositionsDiffer = "positions_differ";

    /// <summary>An operation's answers have a type that cannot be compared. Holds until another build runs.</summary>
    public const string NotComparable = "not_comparable";

    /// <summary>A setting has a name that this build does not know, as <see cref="Settings.SettingsInForce"/> found.</summary>
    public const string UnknownSetting = "unknown_setting";

    internal static readonly string[] All =
        [WarmingUp, RolloutUnknown, Disabled, KillFile, CriticalFinding, PositionsDiffer, NotComparable, UnknownSetting];

    /// <summary>Whether there is no reason to be off. One volatile read.</summary>
    public bool IsOn => _reasons.Length == 0;

    /// <summary>Whether writes have a sandbox to run in. True until the setup check finds that they have none.</summary>
    public bool HasSandbox
    {
        get => _hasSandbox;
        set => _hasSandbox = value;
    }

    /// <summary>The reasons why it is off; empty while it is on.</summary>
    public IReadOnlyList<string> Reasons => _reasons;

    /// <summary>Holds shadowing off for a reason, or lifts that reason.</summary>
    /// <returns>Whether that changed anything.</returns>
    public bool Hold(string reason, bool off)
    {
        lock (_change)
        {
            if (_reasons.Contains(reason) == off) return false;
            _reasons = off ? [.. _reasons, reason] : [.. _reasons.Where(held => held != reason)];
            return true;
        }
    }
}
