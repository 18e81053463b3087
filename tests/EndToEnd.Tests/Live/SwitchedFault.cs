using Ticketing.Demo.Faults;

namespace EndToEnd.Tests.Live;

/// <summary>A fault of the demo's that is there only while it is wanted, in every answer that it fits.</summary>
internal sealed class SwitchedFault<TRequest, TAnswer>
    where TAnswer : class
{
    private volatile bool _isOn;

    public SwitchedFault(string name)
    {
        var fault = (CandidateFault<TRequest, TAnswer>)new FaultRegistry(TimeProvider.System).Find(name)!;
        Choice = new(fault with { Fits = (request, answer) => _isOn && fault.Fits(request, answer) }, Rate: 1);
    }

    public FaultChoice Choice { get; }

    public void Turn(bool on) => _isOn = on;
}
