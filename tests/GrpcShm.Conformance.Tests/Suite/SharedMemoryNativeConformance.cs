using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The suite over a channel that frames its calls by itself.</summary>
public sealed class SharedMemoryNativeConformance(ServerFixture<SharedMemoryNativeMode> fixture)
    : TransportConformance(fixture), IClassFixture<ServerFixture<SharedMemoryNativeMode>>
{
    [Fact]
    public async Task UserAgent_IsThatOfTheChannelItself()
    {
        var client = new TestService.TestServiceClient(Fixture.Channel);

        var description = await client.DescribeAsync(new Empty(), Call()).InTime();

        // Else these tests would be about calls that grpc-dotnet makes.
        Assert.StartsWith("grpcshm-dotnet/", description.UserAgent, StringComparison.Ordinal);
    }
}
