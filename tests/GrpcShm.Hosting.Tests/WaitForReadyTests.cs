using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>A call with <c>WithWaitForReady()</c> waits for its server, as over TCP.</summary>
public sealed class WaitForReadyTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public static TheoryData<SharedMemoryMode> Modes =>
        [SharedMemoryMode.Auto, SharedMemoryMode.Direct, SharedMemoryMode.Http2];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ServerStartsLater_IsAnswered(SharedMemoryMode mode)
    {
        using var channel = CreateChannel(mode);
        await AssertWaitsAndIsAnsweredAsync(channel);
    }

    [Fact]
    public async Task Call_ServerWithoutDirectModeStartsLater_IsAnswered()
    {
        using var channel = CreateChannel(SharedMemoryMode.Auto);
        await AssertWaitsAndIsAnsweredAsync(channel, SharedMemoryMode.Http2);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_WithAVersionThatMayBeRaised_IsAnswered(SharedMemoryMode mode)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "shm:later",
            Options(mode),
            new GrpcChannelOptions { HttpVersionPolicy = HttpVersionPolicy.RequestVersionOrLower });
        await AssertWaitsAndIsAnsweredAsync(channel);
    }

    [Fact]
    public async Task Call_ByAHandlerOfTheUsersOwn_IsAnswered()
    {
        var factory = new SharedMemoryConnectionFactory("shm:later", Options(SharedMemoryMode.Http2));
        using var handler = new SocketsHttpHandler { ConnectCallback = factory.ConnectAsync };
        using var channel = GrpcChannel.ForAddress("http://later", new GrpcChannelOptions { HttpHandler = handler });
        await AssertWaitsAndIsAnsweredAsync(channel);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_DeadlineComesBeforeTheServer_IsDeadlineExceeded(SharedMemoryMode mode)
    {
        using var channel = CreateChannel(mode);
        var options = new CallOptions(
            deadline: DateTime.UtcNow.AddMilliseconds(300),
            cancellationToken: TestContext.Current.CancellationToken).WithWaitForReady();

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => Call(channel, options).InTime());

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_CancelledWhileItWaits_IsCancelled(SharedMemoryMode mode)
    {
        using var channel = CreateChannel(mode);
        using var cancelling = new CancellationTokenSource();
        var call = Call(channel, new CallOptions(cancellationToken: cancelling.Token).WithWaitForReady());

        await cancelling.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.InTime());
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_WithoutIt_FailsAtOnceBesideOneThatWaits(SharedMemoryMode mode)
    {
        using var channel = CreateChannel(mode);
        var waiting = Call(channel, Waiting());

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => Call(channel, Patient()).InTime());

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.False(waiting.IsCompleted);
        await using var server = await StartAsync();
        await AssertAnsweredAsync(waiting);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Call_WithTls_FailsAtOnceBesideOneThatWaits(SharedMemoryMode mode)
    {
        using var certificate = CreateCertificate();
        var options = Options(mode);
        options.ConfigureHandler = http => http.SslOptions.RemoteCertificateValidationCallback =
            (_, shown, _, _) => certificate.Equals(shown);
        using var channel = SharedMemoryChannel.CreateGrpcChannel("https://shm:/later", options);
        var waiting = Call(channel, Waiting());

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => Call(channel, Patient()).InTime());

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.False(waiting.IsCompleted);
        await using var server = await StartAsync(SharedMemoryMode.Auto, certificate);
        await AssertAnsweredAsync(waiting);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ServerHasGone_WaitsForTheNextOne(SharedMemoryMode mode)
    {
        using var channel = CreateChannel(mode);
        await using (var first = await StartAsync())
        {
            await AssertAnsweredAsync(Call(channel, Waiting()));
            await first.StopAsync();
        }

        await AssertWaitsAndIsAnsweredAsync(channel);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ChannelIsDisposedWhileItWaits_Ends(SharedMemoryMode mode)
    {
        var channel = CreateChannel(mode);
        var call = Call(channel, Waiting());

        channel.Dispose();

        await Assert.ThrowsAsync<RpcException>(() => call.InTime());
    }

    private static CallOptions Patient() =>
        new(deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken);

    private static CallOptions Waiting() => Patient().WithWaitForReady();

    private static Task<Answer> Call(GrpcChannel channel, CallOptions options) =>
        new Greeter.GreeterClient(channel).GreetAsync(new Greeting { Name = "Ada" }, options).ResponseAsync;

    private static async Task AssertAnsweredAsync(Task<Answer> call) =>
        Assert.Equal("Hello, Ada.", (await call.InTime()).Text);

    private async Task AssertWaitsAndIsAnsweredAsync(
        GrpcChannel channel, SharedMemoryMode serverMode = SharedMemoryMode.Auto)
    {
        var call = Call(channel, Waiting());

        // Another channel finds no server after the call has begun.
        using (var other = CreateChannel(SharedMemoryMode.Auto))
        {
            await Assert.ThrowsAsync<RpcException>(() => Call(other, Patient()).InTime());
        }

        Assert.False(call.IsCompleted);
        await using var server = await StartAsync(serverMode);
        await AssertAnsweredAsync(call);
    }

    private SharedMemoryClientOptions Options(SharedMemoryMode mode) =>
        new() { RuntimeDirectory = _temp.Path, Mode = mode, ConnectTimeout = TimeLimit.Value };

    private GrpcChannel CreateChannel(SharedMemoryMode mode) =>
        SharedMemoryChannel.CreateGrpcChannel("shm:later", Options(mode));

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new CertificateRequest("CN=later", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }

    private Task<TestServer> StartAsync(
        SharedMemoryMode mode = SharedMemoryMode.Auto, X509Certificate2? certificate = null) => TestServer.StartAsync(
        builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("later", listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            }));
            builder.WebHost.UseSharedMemory(options =>
            {
                options.RuntimeDirectory = _temp.Path;
                options.Mode = mode;
            });
        });
}
