using Grpc.Core;

namespace GrpcShm.Client.Tests.Native;

internal static class ChannelStates
{
    /// <summary>Waits until a channel has a state.</summary>
    public static async Task UntilAsync(this SharedMemoryChannel channel, ConnectivityState wanted)
    {
        while (channel.State is var state && state != wanted)
        {
            await channel.WaitForStateChangedAsync(state, TestContext.Current.CancellationToken).InTime();
        }
    }
}
