using System.Globalization;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Console.Pages;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Problems;
using Shadowing.Journal;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Console;

/// <summary>What an operator does in the console: by the same rules, and with the same audit, as through the API.</summary>
internal sealed class ConsoleForms(
    ConsoleView view, Forgery forgery, MismatchReader mismatches, MismatchCache cache, MismatchPage mismatchPage, ConsoleStores stores)
{
    private static readonly Refusal Forged = new(
        400, ProblemCodes.InvalidBody, "This form is not of your session. Nothing was changed; open the page again and repeat it.");

    private static readonly Page Done = new("", "", Html.Empty);

    public Task RollBackAsync(HttpContext context) => ActAsync(context, async (visit, form) =>
    {
        var (named, reason) = (form["operation"].ToString(), Reason(form));
        var experiments = named.Length == 0 ? stores.Rollout.Experiments
            : stores.Rollout.Find(named) is { } one ? [one] : throw new RefusedException(Refusal.OperationNotFound);
        var answer = await stores.Rollbacks.RollBackAsync(experiments, visit.User, reason, visit.Cancellation);
        return !answer.Published ? $"{visit.Root}?said={Sayings.RolledBackHere}"
            : $"{(experiments is [var only] ? visit.Rollout(only.Operation) : $"{visit.Root}/rollout")}?said={Sayings.RolledBack}";
    });

    public Task ChangeAsync(HttpContext context, string operation) => ActAsync(context, async (visit, form) =>
    {
        if (stores.Rollout.Find(operation) is not { } experiment || stores.Rollout.Read(experiment) is not { } before)
            throw new RefusedException(Refusal.OperationNotFound);
        _ = Stage.TryParse(before.Stage, out var at);
        long? read = long.TryParse(form["generation"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        var asked = new ChangeRollout(read, form["reason"]);
        asked = form["action"].ToString() switch
        {
            "advance" => asked with { Stage = "next", Force = form["force"] == "yes" },
            "hold" => asked with { Automatic = false },
            "automatic" => asked with { Automatic = true },
            "acknowledge" => asked with { Acknowledge = true },
            "nominate" => asked with { Nominate = "this" },
            _ => throw new RefusedException(Forged),
        };
        var (command, generation) = asked.ToCommand(visit.User, before.Fingerprint, at ?? Stage.Off);
        var changed = await stores.Rollout.ChangeAsync(experiment, command, generation, visit.Cancellation);
        if (changed.IsStale) throw new RefusedException(Refusal.GenerationStale);
        if (changed.Refused is { } why) throw new RefusedException(Refusal.ForRollout(why, stores.Rollout.DecisionOf(experiment)));
        return $"{visit.Rollout(experiment.Operation)}?said={Sayings.Changed}";
    });

    public Task AcceptAsync(HttpContext context, string signature) => ActAsync(context, async (visit, form) =>
    {
        var mismatch = await FindAsync(visit, signature);
        if (mismatch.Outcome != Outcome.Mismatch.Wire() || mismatch.Severity == "critical")
            throw new RefusedException(Refusal.NotAcceptable);
        var acceptance = new AcceptMismatch(form["owner"], form["reason"], Until(form))
            .ToAcceptance(mismatch, visit.User, stores.Acceptances.Now);
        await stores.Acceptances.AcceptAsync(acceptance, visit.Cancellation);
        cache.Forget();
        return $"{visit.Mismatch(signature)}?said={Sayings.Accepted}";
    });

    public Task TriageAsync(HttpContext context, string signature) => ActAsync(context, async (visit, form) =>
    {
        var mismatch = await FindAsync(visit, signature);
        if (mismatch.Severity == "critical") throw new RefusedException(Refusal.NotTriable);
        var triage = new TriageMismatch(form["owner"], form["reason"], Until(form))
            .ToTriage(mismatch, visit.User, stores.Acceptances.Now);
        await stores.Triages.TriageAsync(triage, visit.Cancellation);
        cache.Forget();
        return $"{visit.Mismatch(signature)}?said={Sayings.Triaged}";
    });

    public Task UntriageAsync(HttpContext context, string signature) => ActAsync(context, async (visit, _) =>
    {
        if (!await stores.Triages.RevokeAsync(signature, visit.User, visit.Cancellation))
            throw new RefusedException(Refusal.SignatureNotFound);
        cache.Forget();
        return $"{visit.Mismatch(signature)}?said={Sayings.Untriaged}";
    });

    private async Task<MismatchGroup> FindAsync(Visit visit, string signature) =>
        await mismatches.FindAsync(signature, visit.Cancellation) is { Mismatch: var mismatch } ? mismatch
            : throw new RefusedException(Refusal.SignatureNotFound);

    /// <summary>The end of the day that was chosen; null where none was.</summary>
    private static DateTimeOffset? Until(IFormCollection form) =>
        DateOnly.TryParseExact(form["until"], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddDays(1) : null;

    public Task RevokeAsync(HttpContext context, string signature) => ActAsync(context, async (visit, _) =>
    {
        if (!await stores.Acceptances.RevokeAsync(signature, visit.User, visit.Cancellation))
            throw new RefusedException(Refusal.SignatureNotFound);
        cache.Forget();
        return $"{visit.Mismatch(signature)}?said={Sayings.Revoked}";
    });

    /// <summary>Shown once the audit has it, and only in the answer to this form.</summary>
    public Task RawAsync(HttpContext context, string signature) => ActAsync(context, async (visit, _) =>
    {
        var raw = mismatches.Raw(signature);
        if (raw.Count == 0) throw new RefusedException(Refusal.RawSamplesLocked);
        await stores.Audit.AddAsync(visit.User, "samples.read", signature, $"{raw.Count} samples", visit.Cancellation);
        var page = await mismatchPage.ShowAsync(visit, signature, raw);
        await view.SendPageAsync(visit, page, isLive: false);
        return null;
    });

    /// <summary>Sent as they are encrypted, once the audit has it: the browser decrypts them.</summary>
    public Task SealedAsync(HttpContext context, string signature) => ActAsync(context, async (visit, _) =>
    {
        if (await mismatches.FindAsync(signature, visit.Cancellation) is not { Held: { Count: > 0 } held })
            throw new RefusedException(Refusal.SignatureNotFound);
        await stores.Audit.AddAsync(visit.User, "samples.fetch", signature, $"{held.Count} sealed samples", visit.Cancellation);
        var page = await mismatchPage.ShowAsync(visit, signature, [], showsHeld: true);
        await view.SendPageAsync(visit, page, isLive: false);
        return null;
    });

    public Task StartSweepAsync(HttpContext context) => ActAsync(context, async (visit, form) =>
    {
        var rate = double.TryParse(form["rate"], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;
        await SweepOrders.StartAsync(
            new(form["operation"], form["reason"], rate), visit.User, stores.Sweeps, stores.Sweepable, stores.Ledger, visit.Cancellation);
        return $"{visit.Root}/sweeps?said={Sayings.SweepStarted}";
    });

    public Task StopSweepAsync(HttpContext context, long id) => ActAsync(context, async (visit, form) =>
        await stores.Sweeps.StopAsync(id, visit.User, Reason(form), visit.Cancellation)
            ? $"{visit.Root}/sweeps?said={Sayings.SweepStopped}" : throw new RefusedException(Refusal.SweepNotFound));

    private static string Reason(IFormCollection form)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var reason = rules.Text("reason", form["reason"], 3, 500);
        rules.Settle();
        return reason;
    }

    /// <param name="act">Answers where to go on; null where it has answered itself.</param>
    private async Task ActAsync(HttpContext context, Func<Visit, IFormCollection, Task<string?>> act)
    {
        var visit = view.VisitOf(context);
        string? to = null;
        var page = await view.ShowAsync(visit, async _ =>
        {
            if (!context.Request.HasFormContentType) throw new RefusedException(Forged);
            var form = await context.Request.ReadFormAsync(visit.Cancellation);
            if (!forgery.IsOwn(context, form[Forgery.Field])) throw new RefusedException(Forged);
            to = await act(visit, form);
            return Done;
        });
        if (page != Done) await view.SendPageAsync(visit, page, isLive: false);
        else if (to is not null) ConsoleSessions.See(context, to);
    }
}
