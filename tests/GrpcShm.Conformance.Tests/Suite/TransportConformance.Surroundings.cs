using System.Net;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>
/// Features that people add to their services: interceptors, health, reflection, TLS, and pages without gRPC.
/// </summary>
public abstract partial class TransportConformance
{
    [Fact]
    public async Task Interceptors_OnBothSides_SeeEveryKindOfCall()
    {
        var interceptor = new StampingInterceptor();
        var client = new TestService.TestServiceClient(Channel.Intercept(interceptor));

        using var unary = client.UnaryAsync(new UnaryRequest(), Call());
        await unary.InTime();
        await AssertStampedAsync("Unary", unary.ResponseHeadersAsync, unary.GetTrailers);

        using var collect = client.Collect(Call());
        await collect.RequestStream.CompleteAsync().InTime();
        await collect.InTime();
        await AssertStampedAsync("Collect", collect.ResponseHeadersAsync, collect.GetTrailers);

        using var produce = client.Produce(new ProduceRequest(), Call());
        await ReadAllAsync(produce.ResponseStream);
        await AssertStampedAsync("Produce", produce.ResponseHeadersAsync, produce.GetTrailers);

        using var converse = client.Converse(Call());
        await converse.RequestStream.CompleteAsync().InTime();
        await ReadAllAsync(converse.ResponseStream);
        await AssertStampedAsync("Converse", converse.ResponseHeadersAsync, converse.GetTrailers);

        async Task AssertStampedAsync(string method, Task<Metadata> headers, Func<Metadata> trailers)
        {
            Assert.Equal(interceptor.Stamp, (await headers.InTime()).GetValue(MetadataKeys.ServerStamp));
            Assert.Equal($"/grpcshm.testing.v1.TestService/{method}", trailers().GetValue(MetadataKeys.ServerStamp));
            Assert.Contains(method, interceptor.Methods);
        }
    }

    [Fact]
    public async Task Health_Check_IsServing()
    {
        var response = await new Health.HealthClient(Channel).CheckAsync(new HealthCheckRequest(), Call()).InTime();

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, response.Status);
    }

    [Fact]
    public async Task Health_Watch_BeginsWithServing()
    {
        using var call = new Health.HealthClient(Channel).Watch(new HealthCheckRequest(), Call());

        Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, call.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Reflection_OfTheServer_DescribesItsServices()
    {
        using var call = new ServerReflection.ServerReflectionClient(Channel).ServerReflectionInfo(Call());

        var services = await AskAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.Contains(
            TestService.Descriptor.FullName, services.ListServicesResponse.Service.Select(service => service.Name));

        var files = await AskAsync(
            new ServerReflectionRequest { FileContainingSymbol = TestService.Descriptor.FullName });
        Assert.Contains(
            TestService.Descriptor.File.Name,
            files.FileDescriptorResponse.FileDescriptorProto.Select(
                file => FileDescriptorProto.Parser.ParseFrom(file).Name));

        await call.RequestStream.CompleteAsync().InTime();
        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request, TestToken).InTime();
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            return call.ResponseStream.Current;
        }
    }

    [Fact]
    public async Task Tls_OnTop_CarriesCallsOfEverySize()
    {
        await using var server = await Fixture.StartServerAsync("--tls");
        using var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(2 * MiB)), Response = NewPiece(2 * MiB) };

        var description = await client.DescribeAsync(new Empty(), Call()).InTime();
        var response = await client.UnaryAsync(request, Call()).InTime();

        Assert.Equal("https", description.Scheme);
        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);
        Assert.Equal(TestBody.Create(request.Response), response.Body);
    }

    [Fact]
    public async Task Get_OfAPageThatIsNoGrpc_IsAnswered()
    {
        using var client = Server.CreateHttpClient();

        using var response = await client.GetAsync(new Uri("/hello?name=World", UriKind.Relative), TestToken).InTime();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            """{"greeting":"Hello, World."}""", await response.Content.ReadAsStringAsync(TestToken).InTime());
    }

    [Fact]
    public async Task Get_OfNoPage_IsNotFound()
    {
        using var client = Server.CreateHttpClient();

        using var response = await client.GetAsync(new Uri("/nowhere", UriKind.Relative), TestToken).InTime();

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
