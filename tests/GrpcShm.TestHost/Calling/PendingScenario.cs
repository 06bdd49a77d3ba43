using System.Globalization;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>
/// A client that waits for answers that never come. The server knows its calls as <c>PREFIX KIND NUMBER</c>.
/// </summary>
internal static class PendingScenario
{
    public static async Task PlayAsync(
        EndpointAddress address, ClientSetup setup, int count, string callIdPrefix, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var channel = ChannelFactory.CreateChannel(address, setup);
        var client = new TestService.TestServiceClient(channel);
        var control = new Control.ControlClient(channel);

        var never = new TaskCompletionSource();
        var calls = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            foreach (var kind in PendingCalls.Kinds)
            {
                var callId = string.Create(CultureInfo.InvariantCulture, $"{callIdPrefix} {kind} {i}");
                calls.Add(PendingCalls.StartAsync(
                    client, kind, callId, never.Task.WaitAsync(stopping.Token), cancellationToken: stopping.Token));
                var request = new AwaitCallRequest { CallId = callId, Phase = CallPhase.Started };
                await control.AwaitCallAsync(request, cancellationToken: cancellationToken);
            }
        }

        StandardInput.Watch(stopping.Cancel);
        new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();
        try
        {
            await Task.WhenAll(calls);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // These calls always end in this way.
        }
    }
}
