using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;

namespace GrpcShm.EventBus.Client;

/// <summary>What the receivers of one client share.</summary>
internal sealed class ReceiverHost(
    PayloadCodecs codecs, int maxPendingSends, ClientWaits waits, MessagingMetrics metrics, ClientEvents events)
    : IReceiverHost
{
    public PayloadCodecs Codecs => codecs;

    public int MaxPendingSends => maxPendingSends;

    public ClientWaits Waits => waits;

    public HandlingScope Handling(BusEvent received) => new(
        EventTracing.Process(received.Raw),
        metrics.MeasuresProcessing ? System.Diagnostics.Stopwatch.GetTimestamp() : 0);

    public void Handled(BusEvent received, HandlingScope scope, bool failed)
    {
        metrics.Processed(scope.Started, received.TargetMachineId, failed);
        if (scope.Activity is { } activity)
        {
            EventTracing.SetFailure(activity, failed ? StatusCode.Unknown : StatusCode.OK, null);
            activity.Dispose();
        }
    }

    public void HandlerFailed(string name, BusEvent received, Exception exception) =>
        events.TellOfFailedHandler(name, received, exception);

    public void Dropped(string name, long dropped) => events.TellOfLoss(name, dropped);
}
