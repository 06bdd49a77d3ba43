using System.Security.Claims;
using GrpcShm.AspNetCore;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Samples.BringYourOwnService.Server;

namespace GrpcShm.Samples.Tests.BringYourOwnService;

public class SameUserHandlerTests
{
    [Fact]
    public async Task Handle_PeerOfThisUser_Succeeds() =>
        Assert.True(await IsLetInAsync(new Connection(new(OwnUserId()))));

    [Fact]
    public async Task Handle_PeerOfAnotherUser_IsRefused() =>
        Assert.False(await IsLetInAsync(new Connection(new(OwnUserId() + "1"))));

    [Fact]
    public async Task Handle_AnotherTransport_IsRefused() => Assert.False(await IsLetInAsync(null));

    private static async Task<bool> IsLetInAsync(ISharedMemoryConnectionFeature? connection)
    {
        var http = new DefaultHttpContext();
        http.Features.Set(connection);
        var context = new AuthorizationHandlerContext([new SameUserRequirement()], new ClaimsPrincipal(), http);
        await new SameUserHandler().HandleAsync(context).InTime();
        return context.HasSucceeded;
    }

    // "Uid:", then the real id, the effective one, and others.
    private static string OwnUserId() =>
        File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith("Uid:", StringComparison.Ordinal))
            .Split('\t')[2];

    private sealed class Connection(PeerIdentity user) : ISharedMemoryConnectionFeature
    {
        public SharedMemoryEndPoint EndPoint { get; } = new("greeter");

        public SharedMemoryPeer Peer { get; } = new(Environment.ProcessId, user, null);
    }
}
