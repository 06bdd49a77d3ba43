using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// The same hub and the same client over what leads to other machines. The samples run over all the rest.
/// </summary>
public sealed class TransportTests
{
    [Fact]
    public async Task Session_OverTcpWithTls_WorksAsOverAnythingElse()
    {
        using var certificate = CreateCertificate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddEventBus();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(certificate);
        }));
        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync().InTime();
        var address =
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Assert.StartsWith("https://", address, StringComparison.Ordinal);
        using var channel = CreateChannel(address, certificate);
        using var otherChannel = CreateChannel(address, certificate);
        await using var receiverEnd = new EventClient(channel).InTime(out var receiver);
        await using var senderEnd = new EventClient(otherChannel).InTime(out var sender);
        await receiver.ConnectAsync().InTime();
        await sender.ConnectAsync().InTime();
        await receiver.RegisterMachineAsync("m", received =>
        {
            received.Reply(received.GetPayload<int>() + 1);
            return Task.CompletedTask;
        }).InTime();

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(i + 1, (await sender.RequestAsync("s", "m", "NEXT", i).InTime()).GetPayload<int>());
        }

        await app.StopAsync().InTime();
    }

    private static GrpcChannel CreateChannel(string address, X509Certificate2 certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is not null
            && shown.GetCertHashString(HashAlgorithmName.SHA256)
                == certificate.GetCertHashString(HashAlgorithmName.SHA256);
        return GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
