using System.Threading.Channels;
using GrpcShm.TestHost.Contracts;
using GrpcShm.TestHost.Faults;

namespace GrpcShm.TestHost.Calling;

/// <summary>
/// A client that connects, calls and disconnects without end, until a test kills it. It begins when it reads <c>run
/// KIND</c> from standard input (see <see cref="Exchanges"/>); before that it accepts <see cref="CrashCommands"/>.
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
            // Runs until standard input asks it to end, or to use another kind of call.
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
