using System.Threading.Channels;
using GrpcShm.TestHost.Contracts;
using GrpcShm.TestHost.Faults;

namespace GrpcShm.TestHost.Calling;

/// <summary>
/// A client that connects, calls and disconnects without end, to be killed on the way. It begins when standard input
/// has said <c>run KIND</c> (see <see cref="Exchanges"/>); before that it takes <see cref="CrashCommands"/>.
/// </summary>
internal static class ExchangeScenario
{
    public static async Task PlayAsync(EndpointAddress address, ClientSetup setup, CancellationToken cancellationToken)
    {
        const string Run = "run ";
        var kinds = Channel.CreateUnbounded<string>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        StandardInput.Watch(
            () =>
            {
                kinds.Writer.TryComplete();
                stopping.Cancel();
            },
            line =>
            {
                if (!CrashCommands.TryExecute(line) && line.StartsWith(Run, StringComparison.Ordinal))
                {
                    kinds.Writer.TryWrite(line[Run.Length..]);
                }
            });
        new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();

        await foreach (var kind in kinds.Reader.ReadAllAsync(cancellationToken))
        {
            // Until it is told to end, or to go on by another kind.
            while (!stopping.IsCancellationRequested && !kinds.Reader.TryPeek(out _))
            {
                using (var channel = ChannelFactory.CreateChannel(address, setup))
                {
                    await Exchanges.RunAsync(new TestService.TestServiceClient(channel), kind, cancellationToken);
                }

                new HostMessage(HostMessage.Round, Environment.ProcessId).Write();
            }
        }
    }
}
