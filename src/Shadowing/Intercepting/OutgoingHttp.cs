using System.Diagnostics;
using Shadowing.Experiments;

namespace Shadowing.Intercepting;

/// <summary>
/// Stops a shadow run before it sends an HTTP request: the user's own run has sent it, and a second one would be an effect without a cause.
/// </summary>
internal sealed class OutgoingHttp : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private const string Source = "HttpHandlerDiagnosticListener";
    private const string Activity = "System.Net.Http.HttpRequestOut";
    private const string Start = Activity + ".Start";
    private static readonly Lazy<IDisposable> Watching = new(() => DiagnosticListener.AllListeners.Subscribe(new OutgoingHttp()));

    private OutgoingHttp()
    {
    }

    /// <summary>Watches this process from now on. All hosts in it share one watch, because a run knows its host.</summary>
    public static void Watch() => _ = Watching.Value;

    void IObserver<DiagnosticListener>.OnNext(DiagnosticListener value)
    {
        if (value.Name == Source)
            value.Subscribe(this, static name => name is Activity or Start && RunPlace.CurrentShadow is not null);
    }

    void IObserver<KeyValuePair<string, object?>>.OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Key != Start || RunPlace.CurrentShadow is not { } run) return;
        run.Stop("sending an HTTP request", "Register what it does there as Replace<TService, TSilent>() of AddShadowing.");
    }

    void IObserver<DiagnosticListener>.OnCompleted()
    {
    }

    void IObserver<DiagnosticListener>.OnError(Exception error)
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnCompleted()
    {
    }

    void IObserver<KeyValuePair<string, object?>>.OnError(Exception error)
    {
    }
}
