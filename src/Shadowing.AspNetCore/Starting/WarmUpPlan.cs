using Shadowing.Model;

namespace Shadowing.AspNetCore.Starting;

/// <summary>What an application warms up with.</summary>
/// <param name="ReadAsync">Makes a read of every kind.</param>
/// <param name="Image">The rows that its writes find in the sandbox; they are in no table.</param>
/// <param name="WriteAsync">Makes a write of every kind; it is called on the sandbox alone.</param>
public sealed record WarmUpPlan<TStore>(
    Func<TStore, CancellationToken, Task> ReadAsync, RowImage Image, Func<TStore, CancellationToken, Task> WriteAsync);
