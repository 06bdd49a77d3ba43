using GrpcShm.Client;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over a channel that frames its calls by itself.</summary>
public sealed class SharedMemoryNativeConformance(ServerFixture<SharedMemoryNativeMode> fixture)
    : TransportConformance(fixture), IClassFixture<ServerFixture<SharedMemoryNativeMode>>
{
    // Else these tests would be about calls that grpc-dotnet makes. The server, which may be of a version that knows
    // nothing of such channels, is not asked.
    [Fact]
    public async Task Call_UnderWay_IsOneOfTheChannelItself()
    {
        var native = Assert.IsType<SharedMemoryChannel>(Fixture.Channel.Inner).Native;
        Assert.NotNull(native);
        var before = native.Cancellations.FindCalls();

        using var call = new TestService.TestServiceClient(Fixture.Channel).Converse(Call());

        Assert.Single(native.Cancellations.FindCalls().Except(before));
        await call.RequestStream.CompleteAsync().InTime();
        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());
    }
}
