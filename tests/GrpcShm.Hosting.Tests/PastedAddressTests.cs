using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>An address that a server has logged can be pasted wherever a client takes an address.</summary>
public sealed class PastedAddressTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ForAddress_AsLogged_Connects(bool isPath)
    {
        await using var server = await StartAsync(isPath);
        using var channel = SharedMemoryChannel.CreateGrpcChannel(server.Urls.Single(), Options(server));

        await AssertGreetsAsync(new Greeter.GreeterClient(channel));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UseSharedMemory_AsLogged_Connects(bool isPath)
    {
        await using var server = await StartAsync(isPath);
        await AssertGreetsAsync(
            builder => builder.UseSharedMemory(server.Urls.Single(), o => o.RuntimeDirectory = server.Directory));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UseSharedMemory_AsLoggedInTheConfiguration_Connects(bool isPath)
    {
        await using var server = await StartAsync(isPath);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Greeter:Address"] = server.Urls.Single(), ["Greeter:RuntimeDirectory"] = server.Directory,
        }).Build();

        await AssertGreetsAsync(builder => builder.UseSharedMemory(configuration.GetSection("Greeter")));
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, "shm:greeter")]
    public async Task UseSharedMemory_AsTheGrpcClientsOwnAddress_Connects(bool isPath, string? address)
    {
        await using var server = await StartAsync(isPath);
        await AssertGreetsAsync(
            builder =>
            {
                builder.Services.Configure<SharedMemoryClientOptions>(
                    builder.Name, options => options.RuntimeDirectory = server.Directory);
                return builder.UseSharedMemory();
            },
            new Uri(address ?? server.Urls.Single()));
    }

    [Fact]
    public async Task UseSharedMemory_GrpcClientWithTheSameAddress_Connects()
    {
        await using var server = await StartAsync(isPath: false);
        await AssertGreetsAsync(
            builder => builder.UseSharedMemory("shm:greeter", o => o.RuntimeDirectory = server.Directory),
            new Uri("http://shm:/greeter"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ForAddress_AsLoggedWithTls_HasTls(bool isPath)
    {
        using var certificate = CreateCertificate();
        await using var server = await StartAsync(isPath, certificate);
        var options = Options(server);
        Trust(options, certificate);
        using var channel = SharedMemoryChannel.CreateGrpcChannel(server.Urls.Single(), options);

        await AssertGreetsAsync(new Greeter.GreeterClient(channel));
    }

    [Theory]
    [InlineData("https://shm:/greeter", null)]
    [InlineData(null, "https://shm:/greeter")]
    [InlineData("shm:greeter", "https://shm:/greeter")]
    [InlineData("https://shm:/greeter", "http://shm:/greeter")]
    [InlineData("shm:greeter", "https://localhost")]
    public async Task UseSharedMemory_WithTls_HasTls(string? used, string? address)
    {
        using var certificate = CreateCertificate();
        await using var server = await StartAsync(isPath: false, certificate);
        await AssertGreetsAsync(
            builder =>
            {
                builder.Services.Configure<SharedMemoryClientOptions>(
                    builder.Name,
                    options =>
                    {
                        options.RuntimeDirectory = server.Directory;
                        Trust(options, certificate);
                    });
                return used is null ? builder.UseSharedMemory() : builder.UseSharedMemory(used);
            },
            address is null ? null : new Uri(address));
    }

    [Theory]
    [InlineData("shm:greeter", null, null)]
    [InlineData("shm:greeter", null, "http://localhost")]
    [InlineData(null, "shm:greeter", "http://shm:/greeter")]
    [InlineData(null, null, "http://shm:/greeter")]
    [InlineData("shm:other", "shm:greeter", null)]
    public async Task UseSharedMemory_TwiceForOneClient_Connects(string? first, string? second, string? address)
    {
        await using var server = await StartAsync(isPath: false);
        await AssertGreetsAsync(
            builder =>
            {
                builder.Services.Configure<SharedMemoryClientOptions>(
                    builder.Name, options => options.RuntimeDirectory = server.Directory);
                return Use(Use(builder, first), second);
            },
            address is null ? null : new Uri(address));

        static IHttpClientBuilder Use(IHttpClientBuilder builder, string? used) =>
            used is null ? builder.UseSharedMemory() : builder.UseSharedMemory(used);
    }

    [Fact]
    public void UseSharedMemory_GrpcClientWithAnotherAddress_IsRefused()
    {
        var message = Refused(
            static builder => builder.UseSharedMemory("shm:greeter"), new Uri("http://shm:/other"));

        Assert.Contains("two shared-memory addresses", message, StringComparison.Ordinal);
        Assert.Contains("'shm:other'", message, StringComparison.Ordinal);
        Assert.Contains("'shm:greeter'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://localhost:5000")]
    public void UseSharedMemory_GrpcClientWithoutSuchAnAddress_SaysTheRightForm(string? address)
    {
        var message = Refused(
            static builder => builder.UseSharedMemory(), address is null ? null : new Uri(address));

        Assert.Contains("has no shared-memory address", message, StringComparison.Ordinal);
        Assert.Contains("'http://shm:/orders'", message, StringComparison.Ordinal);
    }

    private static SharedMemoryClientOptions Options(TestServer server) =>
        new() { RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value };

    private static void Trust(SharedMemoryClientOptions options, X509Certificate2 certificate) =>
        options.ConfigureHandler = http => http.SslOptions.RemoteCertificateValidationCallback =
            (_, shown, _, _) => certificate.Equals(shown);

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new CertificateRequest("CN=greeter", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }

    private static Task<TestServer> StartAsync(bool isPath, X509Certificate2? certificate = null) =>
        TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(
            isPath ? Path.Join(builder.Environment.ContentRootPath, "greeter.sock") : "greeter",
            listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            })));

    private static string Refused(Func<IHttpClientBuilder, IHttpClientBuilder> use, Uri? address)
    {
        using var services = Build(use, address);
        return Assert.Throws<InvalidOperationException>(services.GetRequiredService<Greeter.GreeterClient>).Message;
    }

    private static ServiceProvider Build(Func<IHttpClientBuilder, IHttpClientBuilder> use, Uri? address) =>
        use(new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>(client => client.Address = address))
            .Services.BuildServiceProvider();

    private static async Task AssertGreetsAsync(
        Func<IHttpClientBuilder, IHttpClientBuilder> use, Uri? address = null)
    {
        await using var services = Build(use, address);
        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>());
    }

    private static async Task AssertGreetsAsync(Greeter.GreeterClient client)
    {
        var answer = await client.GreetAsync(
            new Greeting { Name = "Ada" },
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("Hello, Ada.", answer.Text);
    }
}
