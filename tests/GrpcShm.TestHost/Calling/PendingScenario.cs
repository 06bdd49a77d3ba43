using System.Globalization;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>A client that waits for answers that never come.</summary>
internal static class PendingScenario
{
    public static async Task PlayAsync(
        EndpointAddress address, ClientSetup setup, int count, string callIdPrefix, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var channel = ChannelFactory.CreateChannel(address, setup);
        var client = new Conformance.ConformanceClient(channel);
        var control = new Control.ControlClient(channel);

        var calls = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var prefix = callIdPrefix + (i == 0 ? "" : i.ToString(CultureInfo.InvariantCulture));
            calls.AddRange(PendingCalls.Start(client, prefix, stopping.Token).Values);
            foreach (var name in PendingCalls.Names)
            {
                var request = new AwaitCallRequest { CallId = prefix + name, Phase = CallPhase.Started };
                await control.AwaitCallAsync(request, cancellationToken: cancellationToken);
            }
        }

        StandardInput.Watch(stopping.Cancel);
        new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();
        await Task.WhenAll(calls).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
