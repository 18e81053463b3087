using System.Globalization;
using Microsoft.Extensions.Logging;
using Shadowing.Model;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Recording;

/// <summary>Writes what is recorded, each second, while a recording is open; one file for each time that one is opened.</summary>
internal sealed partial class RecordingKeeper(
    RequestRecorder recorder, SettingsInForce settings, Findings findings, KeeperRegister keepers, ILogger<RecordingKeeper> logger)
        : Keeper(
        new("recording", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)), keepers)
{
    private const int MostInBlock = 2_000;
    private readonly HashSet<string> _unfit = [];
    private RecordingWriter? _writer;
    private string _path = "";
    private long _recorded;

    protected override Task PartAsync(CancellationToken cancellationToken)
    {
        if (_writer is not null) WriteAll(_writer);
        Close();
        return Task.CompletedTask;
    }

    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        var options = settings.Current.Recording;
        if (!options.IsOpen(Clock.GetUtcNow()) || options.KeyBytes() is not { } key)
        {
            if (_writer is not null) WriteAll(_writer);
            Close();
            return Task.CompletedTask;
        }

        if (_writer is null && _recorded == 0) Open(options, key);
        if (_writer is not { } writer) return Task.CompletedTask;
        recorder.Share = options.Percent / 100;
        WriteAll(writer);
        if (writer.Length < options.MaxBytes) return Task.CompletedTask;
        LogFull(_path, writer.Length);
        Close(isFull: true);
        return Task.CompletedTask;
    }

    protected override void Dispose(bool disposing)
    {
        _writer?.Dispose();
        base.Dispose(disposing);
    }

    private void Open(RecordingOptions options, byte[] key)
    {
        var now = Clock.GetUtcNow();
        var replica = string.Concat(settings.Current.Replica.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter
            is '-' or '_').Take(60));
        var name = string.Create(CultureInfo.InvariantCulture, $"{replica}-{now.UtcDateTime:yyyyMMdd'T'HHmmssfff}.shadow-recording");
        _path = Path.Combine(options.Directory!, name);
        _writer = new(_path, key, now);
        LogOpened(_path, options.Until!.Value, PlainText.Clean(options.Owner, PlainText.LongestName));
        findings.Replace("recording", new Finding(
            Finding.Warning, "Shadowing:Recording",
            $"Users' requests are recorded to {_path} until {options.Until:yyyy-MM-dd HH:mm}Z, for {options.Owner}: {options.Reason}"));
    }

    private void Close(bool isFull = false)
    {
        recorder.Share = 0;
        if (_writer is null)
        {
            // Once it is closed, another one may be opened.
            if (!isFull) _recorded = 0;
            return;
        }

        _writer.Dispose();
        _writer = null;
        LogClosed(_path, _recorded, recorder.Dropped);
        if (!isFull) _recorded = 0;
        findings.Replace("recording");
    }

    private void WriteAll(RecordingWriter writer)
    {
        while (recorder.Take(MostInBlock) is { Count: > 0 } taken)
        {
            List<RecordedRequest> requests = [];
            foreach (var (experiment, request) in taken)
            {
                if (RecordedRequest.Write(experiment, request) is { } recorded) requests.Add(recorded);
                else if (_unfit.Add(experiment.Operation)) LogUnfit(experiment.Operation);
            }

            writer.Write(requests);
            _recorded += requests.Count;
        }
    }

    [LoggerMessage(70, LogLevel.Warning, "Recording users' requests to {Path} until {Until:u}, for {Owner}.")]
    private partial void LogOpened(string path, DateTimeOffset until, string owner);

    [LoggerMessage(71, LogLevel.Information, "The recording {Path} is closed: {Recorded} requests, {Dropped} left out while the queue "
        + "was full.")]
    private partial void LogClosed(string path, long recorded, long dropped);

    [LoggerMessage(72, LogLevel.Warning, "The recording {Path} has reached its largest size, with {Bytes} bytes: nothing more is "
        + "recorded.")]
    private partial void LogFull(string path, long bytes);

    [LoggerMessage(73, LogLevel.Error, "Requests of {Operation} cannot be recorded: written as JSON and read again, they are not the "
        + "same.")]
    private partial void LogUnfit(string operation);
}
