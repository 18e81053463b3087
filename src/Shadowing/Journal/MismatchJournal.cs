using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Shadowing.Diagnosing;
using Shadowing.Experiments;
using Shadowing.Settings;

namespace Shadowing.Journal;

/// <summary>The fingerprints of both sides' code, shown with each mismatch and in the status.</summary>
/// <param name="Rules">The fingerprint of the experiments' rules: what counts as equal.</param>
public sealed record ShadowedCode(string Candidate, string Control, string Rules = "unknown");

/// <summary>This replica's mismatches since it started, by signature. Settings bound the memory that it uses.</summary>
public sealed class MismatchJournal
{
    private const int MostDifferences = 20;
    private const int MostRaw = 64 * 1024;
    private const int MostSealed = 16 * 1024;
    private const int SealedOfSignature = 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, GroupState> _groups = [];
    private readonly HashSet<string> _changed = [];
    private readonly Dictionary<string, int> _sealed = [];
    private readonly SettingsInForce _settings;
    private readonly ShadowedCode _code;
    private readonly Redactor _users;

    internal MismatchJournal(SettingsInForce settings, ShadowedCode code)
    {
        (_settings, _code) = (settings, code);
        var key = settings.Current.RedactionKey;
        _users = new(string.IsNullOrEmpty(key) ? RandomNumberGenerator.GetBytes(32) : SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }

    /// <summary>The keyed hash of a user in the served log: the same wherever the setting <c>RedactionKey</c> is the same.</summary>
    public string HashOf(long user) => _users.Redact(user, Disclosure.IdsAndEnums).Hash!;

    /// <summary>All groups, the latest first.</summary>
    public IReadOnlyList<MismatchGroup> Read()
    {
        lock (_lock) return MismatchGroup.Merge(_groups.Values.Select(group => group.Read()));
    }

    /// <summary>The groups that changed since the last call, to be stored. If storing fails, call <see cref="GiveBack"/>.</summary>
    public IReadOnlyList<MismatchGroup> TakeChanged()
    {
        lock (_lock)
        {
            MismatchGroup[] changed = [.. _changed.Select(signature => _groups[signature].Read())];
            _changed.Clear();
            return changed;
        }
    }

    /// <summary>Marks groups as changed again.</summary>
    public void GiveBack(IEnumerable<MismatchGroup> groups)
    {
        lock (_lock) _changed.UnionWith(groups.Select(group => group.Signature));
    }

    /// <summary>Deletes raw values whose time is over, or all raw values once raw samples are locked again.</summary>
    public void ForgetRaw(DateTimeOffset now)
    {
        var until = _settings.Current.RawSamples.Until;
        lock (_lock)
        {
            foreach (var group in _groups.Values) group.ForgetRaw(raw => until is not { } open || open <= now || raw.Until <= now);
        }
    }

    internal void Note(MismatchNote note)
    {
        var (experiment, signature, verdict, request) = note;
        var differences = verdict.Differences ?? [];
        // A key of its own, which is not kept: hashes are equal within a sample, and no value can be tested against them from outside.
        var redactor = new Redactor(RandomNumberGenerator.GetBytes(32));
        var diagnosis = DiagnosisOf(note);
        var sample = new MismatchSample(
            note.At, _settings.Current.Replica, _code.Candidate, note.Shape, Activity.Current?.TraceId.ToString(),
            note.Caller == default ? null : note.Caller.TraceId.ToString(),
            redactor.Parameters(request, experiment.Discloses),
            [.. differences.Take(MostDifferences).Select(difference => redactor.Redact(
                difference, experiment.Discloses, verdict.Pair?.Rows?.Control.Before))],
            differences.Count,
            [.. (verdict.Pair?.ControlSql.Texts ?? []).Select(Redactor.Sql)],
            [.. (verdict.Pair?.CandidateSql.Texts ?? []).Select(Redactor.Sql)],
            diagnosis)
        {
            Raw = _settings.Current.RawSamples.Until is { } until && note.At < until ? Raw(until, request, verdict.Pair, MostRaw) : null,
            Sealed = MaySeal(signature.Id) ? Seal(experiment.Operation, request, verdict.Pair) : null,
        };
        lock (_lock)
        {
            if (!_groups.TryGetValue(signature.Id, out var group))
            {
                if (_groups.Count >= _settings.Current.MaxSignatures) signature = Signature.Other(experiment.Operation);
                if (!_groups.TryGetValue(signature.Id, out group)) _groups.Add(signature.Id, group = new(signature, verdict.Outcome));
            }

            group.Add(sample, note);
            _changed.Add(signature.Id);
        }
    }

    /// <summary>What a mismatch points to.</summary>
    internal static NamedDiagnosis DiagnosisOf(MismatchNote note) => NamedDiagnosis.FromDiagnosis(Diagnose(
        new(note.Verdict.Outcome, note.Request, note.Verdict.Differences ?? [], note.Verdict.Pair, note.Verdict.ErrorType, note.IsLeak)
        {
            StaleFor = note.StaleFor,
        }));

    private static Diagnosis Diagnose(Symptoms symptoms)
    {
        try
        {
            return Diagnoses.Diagnose(symptoms);
        }
#pragma warning disable CA1031 // The members are the application's code and may throw. The mismatch is kept without a diagnosis then.
        catch (Exception)
        {
            return new(Cause.Unknown, "Diagnosing failed.");
        }
#pragma warning restore CA1031
    }

    /// <summary>Whether this sample is one of the few that keep their values; then it counts as such.</summary>
    private bool MaySeal(string signature)
    {
        var settings = _settings.Current.SealedSamples;
        if (!settings.IsOn) return false;
        lock (_lock)
        {
            var count = _sealed.GetValueOrDefault(signature);
            if (count >= SealedOfSignature || _sealed.Values.Sum() >= settings.Most) return false;
            _sealed[signature] = count + 1;
            return true;
        }
    }

    private SealedSample? Seal(string operation, object request, ObservedPair? pair)
    {
        if (Raw(default, request, pair, MostSealed) is not { } raw) return null;
        using var key = _settings.Current.SealedSamples.OpenKey();
        return SealedSample.Seal(key, operation, raw);
    }

    private static RawSample? Raw(DateTimeOffset until, object request, ObservedPair? pair, int most)
    {
        try
        {
            return new(until, Json(request, most), Json(pair?.Control, most), Json(pair?.Candidate, most));
        }
        catch (Exception unwritable) when (unwritable is NotSupportedException or JsonException)
        {
            return null;
        }
    }

    private static string Json(object? value, int most)
    {
        var text = JsonSerializer.Serialize(value, value?.GetType() ?? typeof(object));
        return text.Length > most ? text[..most] : text;
    }
}
