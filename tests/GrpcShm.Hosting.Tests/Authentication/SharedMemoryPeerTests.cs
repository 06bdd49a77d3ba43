using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Grpc.Core;
using GrpcShm.AspNetCore;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests.Authentication;

/// <summary>Authentication by the identity of the peer, and policies that decide by it.</summary>
public sealed class SharedMemoryPeerTests
{
    private static readonly string Own = OtherUserPlatform.OwnId;

    // Nobody's: the system gives no such ids to users.
    private const string Another = "4294967294";

    public static TheoryData<SharedMemoryMode> Modes => [SharedMemoryMode.Direct, SharedMemoryMode.Http2];

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ByAUserWhomThePolicyNames_IsServedWithTheClaimsOfItsProcess(SharedMemoryMode mode)
    {
        var users = new ConcurrentQueue<ClaimsPrincipal>();
        await using var server = await GuardedServer.StartAsync(
            policy => policy.RequireSharedMemoryUser(Another, Own).Note(users));
        using var channel = server.Connect(mode);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));

        var identity = Assert.IsType<ClaimsIdentity>(Assert.Single(users).Identity);
        Assert.Equal(SharedMemoryPeerDefaults.AuthenticationType, identity.AuthenticationType);
        Assert.Equal(Own, identity.FindFirst(ClaimTypes.NameIdentifier)?.Value);
        Assert.Equal(Environment.UserName, identity.Name);
        Assert.Equal(
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            identity.FindFirst(SharedMemoryPeerClaimTypes.ProcessId)?.Value);
        Assert.Matches("^[0-9]+$", identity.FindFirst(SharedMemoryPeerClaimTypes.GroupId)?.Value);
        Assert.All(
            identity.Claims,
            static claim => Assert.Equal(SharedMemoryPeerDefaults.AuthenticationScheme, claim.Issuer));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ByAUserWhomThePolicyNamesByName_IsServed(SharedMemoryMode mode)
    {
        await using var server = await GuardedServer.StartAsync(
            static policy => policy.RequireSharedMemoryUser(Environment.UserName));
        using var channel = server.Connect(mode);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ByAUserWhomThePolicyDoesNotName_IsDenied(SharedMemoryMode mode)
    {
        await using var server = await GuardedServer.StartAsync(
            static policy => policy.RequireSharedMemoryUser(Another, "nobody-of-this-name"));
        using var channel = server.Connect(mode);

        Assert.Equal(StatusCode.PermissionDenied, await GuardedServer.CallAsync(channel));
    }

    // As root, whom the policy does not name, the tests can connect as the user whom it names. Without root there is
    // one user, who is not named.
    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_ByAnotherUserOfTheMachine_IsWhatThePolicySaysOfThatUser(SharedMemoryMode mode)
    {
        await using var server = await GuardedServer.StartAsync(
            static policy => policy.RequireSharedMemoryUser(
                OtherUser.IsAvailable ? OtherUserPlatform.OtherId : Another),
            static builder => builder.Services.Configure<SharedMemoryTransportOptions>(static options =>
            {
                options.AuthorizePeer = static _ => true;
                options.OnLinux(static linux => linux.SocketMode = (UnixFileMode)0x1B6);
            }));
        using (var channel = server.Connect(mode))
        {
            Assert.Equal(StatusCode.PermissionDenied, await GuardedServer.CallAsync(channel));
        }

        if (OtherUser.IsAvailable)
        {
            using var entrance = OtherUserPlatform.Enter(server.Directory);
            using var channel = server.Connect(mode);
            Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        }
    }

    [Fact]
    public async Task Call_OverAnotherTransport_IsNotAuthenticated()
    {
        await using var server = await GuardedServer.StartAsync(static policy => policy.RequireSharedMemoryUser(Own));
        using var plain = server.ConnectPlainly();
        using var channel = server.Connect(SharedMemoryMode.Auto);

        Assert.Equal(StatusCode.Unauthenticated, await GuardedServer.CallAsync(plain));
        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
    }

    [Fact]
    public async Task Authenticate_OverAnotherTransport_HasNoResultAndDoesNotFail()
    {
        var results = new ConcurrentQueue<AuthenticateResult>();
        await using var server = await GuardedServer.StartAsync(policy => policy.RequireAssertion(async context =>
        {
            results.Enqueue(
                await ((HttpContext)context.Resource!)
                    .AuthenticateAsync(SharedMemoryPeerDefaults.AuthenticationScheme));
            return true;
        }));
        using var plain = server.ConnectPlainly();

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(plain));

        var result = Assert.Single(results);
        Assert.True(result.None);
        Assert.Null(result.Failure);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Call_WhoseIdentityTheApplicationChanges_ChangesNoOtherCallOfTheConnection(SharedMemoryMode mode)
    {
        var changed = 0;
        await using var server = await GuardedServer.StartAsync(policy => policy.RequireAssertion(context =>
        {
            Assert.False(context.User.IsInRole("operator"));
            ((ClaimsIdentity)context.User.Identity!).AddClaim(new Claim(ClaimTypes.Role, "operator"));
            context.User.AddIdentity(new ClaimsIdentity("more"));
            Interlocked.Increment(ref changed);
            return context.User.Identities.Count() == 2;
        }));
        using var channel = server.Connect(mode);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        }

        Assert.Equal(3, changed);
    }

    [Fact]
    public async Task Scheme_WithAnotherNameAndIssuer_CountsForThePolicyAndHasTheIssuer()
    {
        var users = new ConcurrentQueue<ClaimsPrincipal>();
        await using var server = await GuardedServer.StartAsync(
            policy => policy.AddAuthenticationSchemes("local").RequireSharedMemoryUser(Own).Note(users),
            static builder => builder.Services.AddAuthentication()
                .AddSharedMemoryPeer("local", static options => options.ClaimsIssuer = "the system"));
        using var channel = server.Connect(SharedMemoryMode.Auto);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        Assert.Equal("the system", Assert.Single(users).FindFirst(SharedMemoryPeerClaimTypes.UserId)?.Issuer);
    }

    [Theory]
    [InlineData(SharedMemoryPeerDefaults.AuthenticationType, "1000", "orders", true)]
    [InlineData(SharedMemoryPeerDefaults.AuthenticationType, "1001", "1000", false)]
    [InlineData(SharedMemoryPeerDefaults.AuthenticationType, "orders", "1001", false)]
    [InlineData("Bearer", "1000", "orders", false)]
    public async Task RequireSharedMemoryUser_AnIdIsNoNameAndAnotherSchemeDoesNotCount(
        string type, string id, string name, bool isMet)
    {
        await using var services = new ServiceCollection().AddLogging().AddAuthorization().BuildServiceProvider();
        var user = new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, id), new Claim(ClaimTypes.Name, name)], type));
        var policy = new AuthorizationPolicyBuilder().RequireSharedMemoryUser("1000").Build();
        var byName = new AuthorizationPolicyBuilder().RequireSharedMemoryUser("orders").Build();
        var service = services.GetRequiredService<IAuthorizationService>();

        Assert.Equal(isMet, (await service.AuthorizeAsync(user, policy)).Succeeded);
        Assert.Equal(isMet, (await service.AuthorizeAsync(user, byName)).Succeeded);
    }

    // An application can sign such an identity into a cookie, and a process of anybody can send it over TCP.
    [Fact]
    public async Task RequireSharedMemoryUser_TheIdentityOfAPeerOnAnotherTransport_DoesNotCount()
    {
        await using var services = new ServiceCollection().AddLogging().AddAuthorization().BuildServiceProvider();
        var user = new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, "1000")], SharedMemoryPeerDefaults.AuthenticationType));
        var policy = new AuthorizationPolicyBuilder().RequireSharedMemoryUser("1000").Build();
        var service = services.GetRequiredService<IAuthorizationService>();

        Assert.False((await service.AuthorizeAsync(user, new DefaultHttpContext(), policy)).Succeeded);
        Assert.True((await service.AuthorizeAsync(user, resource: null, policy)).Succeeded);
    }

    [Fact]
    public void RequireSharedMemoryUser_NobodyIsNamed_IsRefused()
    {
        var policy = new AuthorizationPolicyBuilder();

        var exception = Assert.Throws<ArgumentException>(() => policy.RequireSharedMemoryUser());
        Assert.Contains("Name at least one user", exception.Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => policy.RequireSharedMemoryUser("1000", " "));
        Assert.Contains(
            "1000, orders",
            policy.RequireSharedMemoryUser("1000", "orders").Requirements[0].ToString(),
            StringComparison.Ordinal);
    }
}
