using Grpc.Core;

namespace GrpcShm.TestHost.Calling;

/// <summary>A channel of either kind: grpc-dotnet's, or one that frames its calls by itself.</summary>
/// <param name="channel">The channel, which is disposed of with this one.</param>
public sealed class TestChannel(ChannelBase channel) : ChannelBase(channel.Target), IDisposable
{
    /// <summary>The channel that makes the calls.</summary>
    public ChannelBase Inner => channel;

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker() => channel.CreateCallInvoker();

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)channel).Dispose();
}
