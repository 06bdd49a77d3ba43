using System.Text;
using GrpcShm.AspNetCore.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Hosting;

/// <summary>What a server refuses in its section of the configuration, and what it reads there.</summary>
public sealed class SharedMemorySectionTests
{
    [Theory]
    [InlineData("RingSise", "'SharedMemory:RingSise' is no setting.", "RingSize, RunMode")]
    [InlineData("OfferDirect", "'SharedMemory:OfferDirect' is no setting.", "Write 'SharedMemory:Mode'")]
    [InlineData("offerhttp2", "'SharedMemory:offerhttp2' is no setting.", "'Direct' or 'Http2' only that one")]
    [InlineData(
        "SocketMode", "'SharedMemory:SocketMode' is no setting.", "Write 'SharedMemory:Linux:SocketMode' instead.")]
    [InlineData(
        "DirectoryMode", "'SharedMemory:DirectoryMode' is no", "Write 'SharedMemory:Linux:DirectoryMode' instead.")]
    [InlineData("AuthorizePeer", "'SharedMemory:AuthorizePeer' is no setting.", "only be set in code")]
    [InlineData("Linux:SocketMod", "'SharedMemory:Linux:SocketMod' is no setting.", "are DirectoryMode, SocketMode.")]
    [InlineData("RingSize:Bytes", "'SharedMemory:RingSize:Bytes' is no", "'SharedMemory:RingSize' is one value")]
    [InlineData("Linux:SocketMode:Octal", "'SharedMemory:Linux:SocketMode:Octal' is no", "is one value")]
    [InlineData("Endpoints", "'SharedMemory:Endpoints' is the value '1'", "'SharedMemory:Endpoints:0' for its first")]
    [InlineData("Endpoints:0:Name", "'SharedMemory:Endpoints:0:Name' is no", "'SharedMemory:Endpoints:0' is one value")]
    [InlineData("Linux", "'SharedMemory:Linux' is the value '1'", "has to be a section")]
    public void Configuration_KeyThatIsNoSetting_IsRefusedWithItsNameAndWhatToWrite(
        string key, string what, string advice)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Configure(($"SharedMemory:{key}", "1")));

        Assert.Contains(what, refused.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_ValueInThePlaceOfTheSection_IsRefused()
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Configure(("SharedMemory", "on")));

        Assert.Contains("'SharedMemory' is the value 'on'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_EnvironmentVariableOfTheSectionsName_IsNoMistake() =>
        Assert.Equal(8192, Configure(("SharedMemory", "1"), ("SharedMemory:RingSize", "8192")).RingSize);

    [Theory]
    [InlineData("//")]
    [InlineData("_comment")]
    [InlineData("$schema")]
    [InlineData("Linux://")]
    public void Configuration_Remark_IsLeftAlone(string key) =>
        Assert.Equal(
            8192, Configure(("SharedMemory:RingSize", "8192"), ("SharedMemory:" + key, "for people")).RingSize);

    [Theory]
    [InlineData("HandshakeTimeout", "5", "must be less than or equal to '01:00:00'. A number alone counts days")]
    [InlineData("handshakeTimeout", "-1", "must be greater than '00:00:00'. A number alone counts days")]
    [InlineData("HandshakeTimeout", "5.00:00:00", "must be less than or equal to '01:00:00'.")]
    [InlineData("WaitForName", "2", "must be less than or equal to '1.00:00:00'. A number alone counts days")]
    [InlineData("RingSize", "1000", "A ring's size is a power of two from 4096 to 67108864 bytes.")]
    [InlineData("MaxCallsPerConnection", "0", "must be greater than or equal to '1'.")]
    public void Configuration_ValueOutOfItsRange_IsRefusedWithItsKey(string key, string value, string reason)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Configure(($"SharedMemory:{key}", value)));

        Assert.StartsWith($"'SharedMemory:{key}' is '{value}': ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            int.TryParse(value, out _) && reason.Contains("days", StringComparison.Ordinal),
            refused.Message.Contains("A number alone counts days", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("RingSize", "large")]
    [InlineData("HandshakeTimeout", "5s")]
    public void Configuration_TextOfAnotherType_IsRefusedWithItsKey(string key, string value)
    {
        var refused = Assert.Throws<InvalidOperationException>(() => Configure(($"SharedMemory:{key}", value)));

        Assert.Contains($"'SharedMemory:{key}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_WrongAddressOfAnEndpoint_IsRefusedWithItsKey()
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => Configure(("SharedMemory:Endpoints:1", "shm://orders")));

        Assert.StartsWith(
            "The setting 'SharedMemory:Endpoints:1' is wrong: 'shm://orders' is not a shared-memory address",
            refused.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "'SharedMemory:RingSize' is 8192 bytes, more than 'SharedMemory:MaxRingSize', which is 4096.")]
    [InlineData(true, "SharedMemoryTransportOptions.RingSize is 16384 bytes, more than 'SharedMemory:MaxRingSize'")]
    public void Configuration_PartLargerThanItsWhole_NamesTheKeysOfTheValuesThatComeFromIt(bool inCode, string expected)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Configure(
            options => options.RingSize = inCode ? 16384 : options.RingSize,
            ("SharedMemory:RingSize", "8192"),
            ("SharedMemory:MaxRingSize", "4096")));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_SeveralMistakes_AreAllNamed()
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => Configure(("SharedMemory:First", "1"), ("SharedMemory:Linux:SocketMode", "888")));

        Assert.Equal(2, refused.Failures.Count());
    }

    [Theory]
    [InlineData("0755", 0x1ed)]
    [InlineData("755", 0x1ed)]
    [InlineData("UserRead, UserWrite", 0x180)]
    public void Configuration_ModeOfAFile_IsReadAsPeopleWriteIt(string text, int expected)
    {
        var options = Configure(
            ("SharedMemory:Linux:SocketMode", text), ("SharedMemory:Linux:DirectoryMode", text)).LinuxRendezvous;

        Assert.Equal((UnixFileMode)expected, options.SocketMode);
        Assert.Equal((UnixFileMode)expected, options.DirectoryMode);
    }

    [Theory]
    [InlineData("0799")]
    [InlineData("0o755")]
    [InlineData("rwx")]
    public void Configuration_NoModeOfAFile_IsRefusedWithItsValue(string text)
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => Configure(("SharedMemory:Linux:DirectoryMode", text)));

        Assert.Contains($"'SharedMemory:Linux:DirectoryMode' is '{text}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("octal", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_OneModeAlone_LeavesTheOtherAtItsDefault()
    {
        var options = Configure(("SharedMemory:Linux:SocketMode", "0660")).LinuxRendezvous;

        Assert.Equal(new LinuxRendezvousOptions().DirectoryMode, options.DirectoryMode);
        Assert.NotEqual(new LinuxRendezvousOptions().SocketMode, options.SocketMode);
    }

    [Fact]
    public void Configuration_EmptyMode_MeansTheDefault()
    {
        // An environment variable that is set to nothing, as for any other setting.
        var options = Configure(("SharedMemory:Linux:SocketMode", "")).LinuxRendezvous;

        Assert.Equal(new LinuxRendezvousOptions().SocketMode, options.SocketMode);
    }

    [Fact]
    public void Configuration_CodeSetsAModeToo_HasTheLastWord()
    {
        var options = Configure(
            static options => options.LinuxRendezvous.SocketMode = UnixFileMode.UserRead,
            ("SharedMemory:Linux:SocketMode", "0660"));

        Assert.Equal(UnixFileMode.UserRead, options.LinuxRendezvous.SocketMode);
    }

    [Fact]
    public void Configuration_EmptyListAndSection_AreTaken()
    {
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(
            """{ "SharedMemory": { "Endpoints": [], "Linux": {}, "RingSize": 8192, "mode": "direct" } }"""));

        var options = Configure(static _ => { }, builder => builder.AddJsonStream(json));

        Assert.Equal((8192, SharedMemoryMode.Direct), (options.RingSize, options.Mode));
        Assert.Empty(options.Endpoints);
    }

    [Fact]
    public void Keys_OfTheSection_AreThePropertiesThatAConfigurationCanSet()
    {
        var properties = typeof(SharedMemoryTransportOptions).GetProperties().Select(static p => p.Name).ToHashSet();
        properties.Remove(nameof(SharedMemoryTransportOptions.AuthorizePeer));
        string[] known = [SharedMemorySection.Endpoints, SharedMemorySection.Linux, .. SharedMemorySection.Keys];

        Assert.Equal(properties.Order(StringComparer.Ordinal), known.Order(StringComparer.Ordinal));
        Assert.Equal(
            typeof(LinuxRendezvousOptions).GetProperties().Select(static p => p.Name).Order(StringComparer.Ordinal),
            SharedMemorySection.LinuxKeys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Start_KeyThatIsNoSetting_Fails()
    {
        using var directory = new TempDirectory();

        // Whichever of the two asks for the options first.
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(async () =>
        {
            await using var app = Build(
                directory.Path,
                static _ => { },
                static builder => builder.AddInMemoryCollection([new("SharedMemory:OfferDirect", "false")]));
            await app.StartAsync(TestContext.Current.CancellationToken).InTime();
        });

        Assert.Contains("OfferDirect", refused.Message, StringComparison.Ordinal);
    }

    private static SharedMemoryTransportOptions Configure(params (string Key, string Value)[] settings) =>
        Configure(static _ => { }, settings);

    private static SharedMemoryTransportOptions Configure(
        Action<SharedMemoryTransportOptions> configure, params (string Key, string Value)[] settings) =>
        Configure(
            configure,
            builder => builder.AddInMemoryCollection(
                settings.Select(static s => new KeyValuePair<string, string?>(s.Key, s.Value))));

    private static SharedMemoryTransportOptions Configure(
        Action<SharedMemoryTransportOptions> configure, Action<IConfigurationBuilder> add)
    {
        using var directory = new TempDirectory();
        var app = Build(directory.Path, configure, add);
        using ((IDisposable)app)
        {
            return app.Services.GetRequiredService<IOptions<SharedMemoryTransportOptions>>().Value;
        }
    }

    private static WebApplication Build(
        string directory, Action<SharedMemoryTransportOptions> configure, Action<IConfigurationBuilder> add)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseSharedMemory(configure);
        add(builder.Configuration);
        return builder.Build();
    }
}
