using System.Globalization;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Calling;

/// <summary>A client that makes a channel, calls once and closes the channel, as often as it is asked to.</summary>
internal static class ChurnScenario
{
    public static async Task PlayAsync(EndpointAddress address, ClientSetup setup, CancellationToken cancellationToken)
    {
        var rounds = Channel.CreateUnbounded<int>();
        StandardInput.Watch(
            () => rounds.Writer.TryComplete(),
            line => rounds.Writer.TryWrite(int.Parse(line, CultureInfo.InvariantCulture)));
        new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();

        await foreach (var count in rounds.Reader.ReadAllAsync(cancellationToken))
        {
            for (var i = 0; i < count; i++)
            {
                using var channel = ChannelFactory.CreateChannel(address, setup);
                await new TestService.TestServiceClient(channel)
                    .NothingAsync(new Empty(), cancellationToken: cancellationToken);
            }

            new HostMessage(HostMessage.Done, Environment.ProcessId).Write();
        }
    }
}
