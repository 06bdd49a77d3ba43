using System.Security.Cryptography.X509Certificates;
using GrpcGreeter;
using Grpc.Net.Client;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using GrpcShm.Hosting.Tests.Docs;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

// Not in a namespace of the other tests, which have another contract with the name "Greeter".
namespace GrpcShm.PageCode;

/// <summary>
/// The code of <c>docs/how-to/secure.md</c> besides its program, in its order. <see cref="SecurePageTests"/> compares
/// the two, and runs this.
/// </summary>
internal sealed class SecurePage(TempDirectory directory)
{
    /// <summary>What the page calls <c>shm:///run/greeter/greeter.sock</c>.</summary>
    public string Address { get; } = $"shm://{directory.File("greeter.sock")}";

    /// <summary>What the page calls <c>greeter</c>.</summary>
    public string Endpoint { get; } = $"page-{Environment.ProcessId}-{Guid.NewGuid():N}"[..30];

    /// <summary>What the page calls <c>990</c>.</summary>
    public string ServersUser { get; } = OtherUserPlatform.OwnId;

    /// <summary>What the page calls <c>greeter.crt</c>.</summary>
    public string CertificateFile { get; } = directory.File("greeter.crt");

    /// <summary>What the page calls <c>greeter.key</c>.</summary>
    public string KeyFile { get; } = directory.File("greeter.key");

    public async Task<string> CallAsync()
    {
        using var channel = SharedMemoryChannel.ForAddress(Address, new SharedMemoryClientOptions
        {
            AuthorizeServer = server => server.User == new PeerIdentity(ServersUser),
        });
        var client = new Greeter.GreeterClient(channel);
        var reply = await client.SayHelloAsync(new HelloRequest { Name = "world" });
        Console.WriteLine(reply.Message);
        return reply.Message;
    }

    public static void LeaveOutTheNames(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication().AddSharedMemoryPeer(options => options.LookUpUserName = false);
    }

    public static void AddAnotherScheme(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication(BearerTokenDefaults.AuthenticationScheme)
            .AddBearerToken()
            .AddSharedMemoryPeer();
        builder.Services.AddAuthorizationBuilder().AddPolicy("greeters", policy => policy
            .AddAuthenticationSchemes(SharedMemoryPeerDefaults.AuthenticationScheme)
            .RequireSharedMemoryUser("1000"));
    }

    public void ListenWithTls(WebApplicationBuilder builder)
    {
        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(Endpoint, listen =>
            listen.UseHttps(X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile))));
    }

    public async Task<T> CallWithTlsAsync<T>(Func<GrpcChannel, Task<T>> call)
    {
        var handler = SharedMemoryChannel.CreateHandler($"shm:{Endpoint}", new SharedMemoryClientOptions
        {
            ConfigureHandler = http => http.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(CertificateFile) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        });
        using var channel = GrpcChannel.ForAddress(
            "https://greeter", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        return await call(channel);
    }
}
