using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over direct mode to a server that dispatches natively.</summary>
public sealed class SharedMemoryNativeServerConformance(ServerFixture<SharedMemoryNativeServerMode> fixture)
    : TransportConformance(fixture), IClassFixture<ServerFixture<SharedMemoryNativeServerMode>>
{
    [Fact]
    public async Task Handler_HasAContextOfItsOwn()
    {
        var client = new TestService.TestServiceClient(Fixture.Channel);

        // The first call of a server goes in full: before it somebody may wait for the events of grpc-dotnet.
        await client.DescribeAsync(new Empty(), Call()).InTime();
        var description = await client.DescribeAsync(new Empty(), Call()).InTime();

        // Else these tests would be about calls that grpc-dotnet serves.
        Assert.Equal("GrpcShm.AspNetCore.Native.NativeCallContext", description.ContextType);
    }
}
