using Grpc.Core;

namespace Samples;

/// <summary>
/// A channel over one of the transports. Over shared memory it is a <c>SharedMemoryChannel</c>, over the others a
/// channel of grpc-dotnet.
/// </summary>
/// <param name="channel">The channel, which is disposed of with this one.</param>
internal sealed class SampleChannel(ChannelBase channel) : ChannelBase(channel.Target), IDisposable
{
    public override CallInvoker CreateCallInvoker() => channel.CreateCallInvoker();

    public void Dispose() => ((IDisposable)channel).Dispose();
}
