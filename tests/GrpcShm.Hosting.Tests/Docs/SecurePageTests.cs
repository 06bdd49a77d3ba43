using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Grpc.Core;
using GrpcShm.PageCode;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests.Docs;

/// <summary><c>docs/how-to/secure.md</c>: its code is compiled here as printed, and does what the page says.</summary>
public sealed partial class SecurePageTests : IDisposable
{
    // Nobody's: the system gives no such ids to users.
    private const string Nobody = "4294967294";

    private readonly TempDirectory _directory = new();

    private static string Page { get; } = File.ReadAllText(Path.Join(SourceTree.Root, "docs", "how-to", "secure.md"));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0, "Program.cs")]
    [InlineData(1, "Services/GreeterService.cs")]
    public void Page_ItsFiles_AreThoseThatRun(int block, string file) =>
        Assert.Equal(
            File.ReadAllText(Path.Join(SourceTree.Root, "tests", "GrpcShm.SecurePage", file)),
            Blocks("csharp").ElementAt(block));

    [Fact]
    public void Page_EveryOtherLineOfItsCode_IsCompiled()
    {
        var compiled = Normalize(File.ReadAllText(
            Path.Join(SourceTree.Root, "tests", "GrpcShm.Hosting.Tests", "Docs", "SecurePage.cs")));
        var blocks = Blocks("csharp").Skip(2).Select(static block => block
            .Replace("\"shm:///run/greeter/greeter.sock\"", "Address", StringComparison.Ordinal)
            .Replace("\"990\"", "ServersUser", StringComparison.Ordinal)
            .Replace("\"greeter\"", "Endpoint", StringComparison.Ordinal)
            .Replace("\"shm:greeter\"", "$\"shm:{Endpoint}\"", StringComparison.Ordinal)
            .Replace("\"greeter.crt\"", "CertificateFile", StringComparison.Ordinal)
            .Replace("\"greeter.key\"", "KeyFile", StringComparison.Ordinal)).ToArray();

        Assert.Equal(5, blocks.Length);
        Assert.All(blocks, block => Assert.Contains(Normalize(block), compiled, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Program_UserWhomItNames_IsServedAndToldItsUser()
    {
        await using var server = await StartAsync(users: Nobody, greeters: OtherUserPlatform.OwnId);

        Assert.Equal(
            $"Hello world, you run as user {OtherUserPlatform.OwnId}",
            await new SecurePage(_directory).CallAsync().InTime());
    }

    [Fact]
    public async Task Program_UserWhoMayConnectAndIsNoGreeter_IsDenied()
    {
        // The server's own user may connect.
        await using var server = await StartAsync(users: Nobody, greeters: Nobody);

        var denied = await Assert.ThrowsAsync<RpcException>(() => new SecurePage(_directory).CallAsync().InTime());
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
    }

    // As root, this process connects as the other user. Without root there is only one user, who may always connect.
    [Fact]
    public async Task Program_AnotherUser_IsWhatTheConfigurationSaysOfThatUser()
    {
        var greeter = OtherUser.IsAvailable ? OtherUserPlatform.OtherId : Nobody;
        await using (await StartAsync(users: Nobody, greeters: greeter))
        {
            var refused = await Assert.ThrowsAsync<RpcException>(CallAsOtherAsync);
            Assert.Equal(
                OtherUser.IsAvailable ? StatusCode.Unavailable : StatusCode.PermissionDenied, refused.StatusCode);
            Assert.True(!OtherUser.IsAvailable || refused.ToString().Contains(
                $"User {OtherUserPlatform.OtherId} may not connect to this endpoint", StringComparison.Ordinal));
        }

        var other = OtherUser.IsAvailable ? OtherUserPlatform.OtherId : OtherUserPlatform.OwnId;
        await using (await StartAsync(users: other, greeters: other))
        {
            Assert.Equal($"Hello world, you run as user {other}", await CallAsOtherAsync());
        }
    }

    [Fact]
    public async Task Tls_WithTheCertificateOfThePage_CallsAndKnowsThePeer()
    {
        var page = new SecurePage(_directory);
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var request = new CertificateRequest("CN=greeter", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("greeter");
            request.CertificateExtensions.Add(names.Build());
            var now = DateTimeOffset.UtcNow;
            using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
            File.WriteAllText(page.CertificateFile, certificate.ExportCertificatePem());
            File.WriteAllText(page.KeyFile, key.ExportPkcs8PrivateKeyPem());
        }

        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = _directory.Path });
        builder.Logging.ClearProviders();
        page.ListenWithTls(builder);
        builder.Services.AddGrpc();
        builder.Services.AddAuthentication().AddSharedMemoryPeer();
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(
            new AuthorizationPolicyBuilder().RequireSharedMemoryUser(OtherUserPlatform.OwnId).Build());
        await using var app = builder.Build();
        app.MapGrpcService<GreeterService>();
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();

        var answer = await page.CallWithTlsAsync(static async channel =>
            await new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting { Name = "Ada" }, null, TimeLimit.Deadline, TestContext.Current.CancellationToken));

        Assert.Equal(Environment.ProcessId, answer.PeerProcessId);
        await app.StopAsync(TestContext.Current.CancellationToken).InTime();
    }

    [Fact]
    public void Services_OfThePage_CanBeAdded()
    {
        var builder = WebApplication.CreateBuilder();
        SecurePage.LeaveOutTheNames(builder);
        builder = WebApplication.CreateBuilder();
        SecurePage.AddAnotherScheme(builder);
        using var services = builder.Services.BuildServiceProvider();
        Assert.NotNull(services.GetRequiredService<IAuthorizationPolicyProvider>());
    }

    private async Task<string> CallAsOtherAsync()
    {
        using var entrance = OtherUser.IsAvailable ? OtherUserPlatform.Enter(_directory.Path) : null;
        return await new SecurePage(_directory).CallAsync().InTime();
    }

    /// <summary>Starts the program with the page's configuration, but with other users and another directory.</summary>
    private async Task<PageProcess> StartAsync(string users, string greeters)
    {
        var settings = Assert.Single(Blocks("json"))
            .Replace("\"Users\": [ \"1000\", \"1001\" ]", $"\"Users\": [ \"{users}\" ]", StringComparison.Ordinal)
            .Replace("\"Greeters\": [ \"1000\" ]", $"\"Greeters\": [ \"{greeters}\" ]", StringComparison.Ordinal)
            .Replace("/run/greeter", _directory.Path, StringComparison.Ordinal);
        Assert.DoesNotContain("1000", settings, StringComparison.Ordinal);
        File.WriteAllText(_directory.File("appsettings.json"), settings);
        var server = PageProcess.Start("GrpcShm.SecurePage", _directory.Path);
        try
        {
            await server.SaysAsync("Application started");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static IEnumerable<string> Blocks(string language) =>
        BlockPattern().Matches(Page)
            .Where(block => block.Groups["language"].Value == language)
            .Select(static block => block.Groups["text"].Value);

    // The page's blocks are not indented as their methods are.
    private static string Normalize(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex BlockPattern();
}
