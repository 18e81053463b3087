using System.Diagnostics;
using OpenTelemetry;

namespace Shadowing.AspNetCore.Telemetry;

/// <summary>
/// Keeps the driver's spans of failed statements from being exported: it records the database's message with them, and that quotes rows.
/// The span around them has the error's type.
/// </summary>
internal sealed class QuotingSpans : BaseProcessor<Activity>
{
    private const string Driver = "Npgsql";

    public override void OnEnd(Activity data)
    {
        if (data.Source.Name == Driver && data.Status == ActivityStatusCode.Error) data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
    }
}
