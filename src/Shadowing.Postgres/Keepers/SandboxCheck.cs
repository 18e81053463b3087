using Shadowing.Postgres.Checks;
using Shadowing.Postgres.Writes;
using Shadowing.Supervision;
using Shadowing.Writing;

namespace Shadowing.Postgres.Keepers;

/// <summary>Opens the sandbox and asks which powers its role has that it must not have; null where no write is compared.</summary>
public sealed record SandboxProbe(Func<CancellationToken, Task<IReadOnlyList<ExcessPower>>>? PowersAsync)
{
    /// <summary>What cannot be compared of the tables, once the sandbox has been opened.</summary>
    public Func<IReadOnlyList<TableProblem>> Problems { get; init; } = static () => [];
}

/// <summary>Looks whether there is a sandbox, and whether its role could write to a table.</summary>
public sealed class SandboxCheck(SandboxProbe probe, Findings findings, ShadowSwitch shadowSwitch)
{
    /// <summary>Without a sandbox writes are not compared, and the candidate writes nothing for users; reads do without.</summary>
    /// <returns>Whether its role could write: then nothing is safe.</returns>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        if (probe.PowersAsync is not { } powersAsync)
        {
            shadowSwitch.HasSandbox = false;
            return false;
        }

        try
        {
            var powers = await powersAsync(cancellationToken);
            findings.Replace("sandbox", [.. powers.Select(power => RoleFinding.ForPower("sandbox", power))]);
            NoteTables();
            shadowSwitch.HasSandbox = true;
            return powers.Count > 0;
        }
        catch (SandboxUnsafeException unsafely)
        {
            shadowSwitch.HasSandbox = false;
            NoteTables();
            findings.Replace(
                "sandbox", new Finding(Finding.Critical, "ConnectionStrings:Sandbox", $"{unsafely.Message} Writes are not shadowed."));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            shadowSwitch.HasSandbox = false;
            findings.Replace("sandbox", new Finding(
                Finding.Warning, "ConnectionStrings:Sandbox",
                $"There is no sandbox ({FailureText.Sentence(failure)}): writes are not shadowed."));
        }

        return false;
    }

    private void NoteTables() => findings.Replace("sandbox tables", [.. probe.Problems().Select(problem => new Finding(
        problem.IsLeftOut ? Finding.Critical : Finding.Warning, problem.Table, problem.Sentence))]);
}
