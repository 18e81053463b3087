using Shadowing.Model;

namespace Shadowing.Rollout;

/// <summary>Where an operation stands on this replica.</summary>
/// <param name="State">As the store has it, less what is rolled back here; null before the store has told.</param>
/// <param name="ShadowPercent">The share that may be shadowed.</param>
/// <param name="ServePercent">The share of users, within the shapes it may serve, that the candidate answers here and now.</param>
public sealed record RolloutStanding(string Operation, RolloutState? State, double ShadowPercent, double ServePercent);
