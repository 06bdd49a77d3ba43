using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over servers that dispatch natively.</summary>
/// <param name="fixture">The server, and a channel to it.</param>
public abstract class NativeServerConformance(IServerFixture fixture) : TransportConformance(fixture)
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
