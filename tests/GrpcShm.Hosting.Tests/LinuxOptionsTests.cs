using System.Runtime.Versioning;
using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// The options that only Linux has. A part of the test is that this project, which is for every system, compiles
/// without a warning.
/// </summary>
public sealed class LinuxOptionsTests
{
    private const UnixFileMode ForTheGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    [Fact]
    public void OnLinux_CodeForEverySystem_SetsTheModes()
    {
        var options = Configure([], static options => options.OnLinux(static linux => linux.SocketMode = ForTheGroup));
        Assert.Equal(ForTheGroup, options.LinuxRendezvous.SocketMode);
    }

    [Fact]
    public void Configuration_SectionLinux_SetsTheModes()
    {
        var options = Configure(
            new() { ["SharedMemory:Linux:SocketMode"] = "UserRead, UserWrite, GroupRead, GroupWrite" },
            static _ => { });
        Assert.Equal(ForTheGroup, options.LinuxRendezvous.SocketMode);
    }

    [Fact]
    public void Modes_WithoutSettings_AreTheOwnersAlone()
    {
        var options = new SharedMemoryTransportOptions().LinuxRendezvous;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, options.SocketMode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, options.DirectoryMode);
    }

    [Fact]
    public void Linux_UsedWithoutAskingForTheSystem_IsAWarning()
    {
        var property = typeof(SharedMemoryTransportOptions).GetProperty("Linux")!;
        var attribute = Assert.Single(
            property.GetCustomAttributes(typeof(SupportedOSPlatformAttribute), inherit: false));
        Assert.Equal("linux", ((SupportedOSPlatformAttribute)attribute).PlatformName);
    }

    private static SharedMemoryTransportOptions Configure(
        Dictionary<string, string?> settings, Action<SharedMemoryTransportOptions> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseSharedMemory(configure);
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<IOptions<SharedMemoryTransportOptions>>().Value;
    }
}
