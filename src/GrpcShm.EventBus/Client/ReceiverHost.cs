using GrpcShm.EventBus.Diagnostics;

namespace GrpcShm.EventBus.Client;

/// <summary>The services that the receivers of one client share.</summary>
internal sealed class ReceiverHost(
    PayloadCodecs codecs, int maxPendingSends, ClientWaits waits, EventInstruments instruments, RaisedEvents events)
    : IReceiverHost
{
    public PayloadCodecs Codecs => codecs;

    public int MaxPendingSends => maxPendingSends;

    public ClientWaits Waits => waits;

    public HandlingScope BeginHandling(BusEvent received) => instruments.BeginHandling(received);

    public void EndHandling(BusEvent received, HandlingScope scope, string? failure) =>
        instruments.EndHandling(scope, received.TargetMachineId, failure);

    public void TellOfFailedHandler(string name, BusEvent received, Exception exception) =>
        events.TellOfFailedHandler(name, received, exception);

    public void TellOfLoss(string name, long dropped) => events.TellOfLoss(name, dropped);
}
