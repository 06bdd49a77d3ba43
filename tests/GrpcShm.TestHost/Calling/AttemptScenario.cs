using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;
using GrpcShm.TestHost.Faults;

namespace GrpcShm.TestHost.Calling;

/// <summary>
/// A client that makes a call for each line on standard input and reports the result: for <c>new</c> with a channel of
/// its own, for <c>kept</c> with a channel that stays open. Any other line is one of <see cref="FaultCommands"/>.
/// </summary>
internal static class AttemptScenario
{
    public static async Task PlayAsync(EndpointAddress address, ClientSetup setup, CancellationToken cancellationToken)
    {
        var faults = new FaultCommands();
        var lines = Channel.CreateUnbounded<string>();
        StandardInput.Watch(() => lines.Writer.TryComplete(), line => lines.Writer.TryWrite(line));
        using var kept = ChannelFactory.CreateChannel(address, setup);
        new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();

        await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
        {
            switch (line)
            {
                case "new":
                    using (var channel = ChannelFactory.CreateChannel(address, setup))
                    {
                        await CallAsync(channel, cancellationToken);
                    }

                    break;
                case "kept":
                    await CallAsync(kept, cancellationToken);
                    break;
                case var command when faults.TryExecute(command):
                    break;
                default:
                    throw new InvalidOperationException($"There is no command '{line}'.");
            }
        }
    }

    private static async Task CallAsync(ChannelBase channel, CancellationToken cancellationToken)
    {
        HostMessage message;
        try
        {
            await new TestService.TestServiceClient(channel)
                .NothingAsync(new Empty(), cancellationToken: cancellationToken);
            message = new HostMessage(HostMessage.Done, Environment.ProcessId);
        }
        catch (RpcException failure)
        {
            message = new HostMessage(HostMessage.Failed, Environment.ProcessId)
            {
                Errors = [failure.StatusCode.ToString(), failure.Status.Detail],
            };
        }

        message.Write();
    }
}
