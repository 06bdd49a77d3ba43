using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The features of a call: its own, those that were set, and those of the connection.</summary>
public sealed class CallFeaturesTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;
    private RequestTimeLimits _timeLimits = null!;
    private CallFeatures _features = null!;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync(static kestrel => kestrel.AllowSynchronousIO = true);
        _timeLimits = new RequestTimeLimits(_under.Call);
        _features = new CallFeatures(_under.Call, _timeLimits);
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public void Find_OfThePartsOfTheCall_AreThoseParts()
    {
        foreach (var type in new[]
        {
            typeof(IHttpRequestFeature), typeof(IHttpRequestBodyDetectionFeature), typeof(IRequestBodyPipeFeature),
            typeof(IHttpRequestIdentifierFeature), typeof(IHttpRequestTrailersFeature),
            typeof(IHttpMaxRequestBodySizeFeature), typeof(IHttp2StreamIdFeature),
        })
        {
            Assert.Same(_under.Call.Request, _features.Find(type));
        }

        foreach (var type in new[]
        {
            typeof(IHttpResponseFeature), typeof(IHttpResponseBodyFeature), typeof(IHttpResponseTrailersFeature),
            typeof(IHttpResetFeature),
        })
        {
            Assert.Same(_under.Call.Response, _features.Find(type));
        }

        Assert.Same(_under.Call.Lifetime, _features.Find(typeof(IHttpRequestLifetimeFeature)));
        Assert.Same(_timeLimits, _features.Find(typeof(IHttpMinRequestBodyDataRateFeature)));
        Assert.Same(_features, _features.Find(typeof(IHttpConnectionFeature)));
        Assert.Same(_features, _features.Find(typeof(IHttpBodyControlFeature)));
    }

    [Fact]
    public void Find_EachOfItsOwn_IsOfThatType()
    {
        foreach (var (type, feature) in _features.Enumerate())
        {
            Assert.True(type.IsInstanceOfType(feature), $"{feature.GetType()} is no {type}.");
        }
    }

    [Fact]
    public void Find_OfTheConnection_IsThatOfTheConnection()
    {
        Assert.Same(
            _under.Connection.Features.Get<IConnectionUserFeature>(), _features.Find(typeof(IConnectionUserFeature)));
        Assert.NotNull(_features.Find(typeof(ISharedMemoryConnectionFeature)));
        Assert.Null(_features.Find(typeof(ITlsHandshakeFeature)));
    }

    [Fact]
    public void Set_OverOneOfItsOwn_IsFoundInItsPlace()
    {
        var before = _features.Revision;
        var other = new HttpRequestFeature();

        _features.Set(typeof(IHttpRequestFeature), other);

        Assert.Same(other, _features.Find(typeof(IHttpRequestFeature)));
        Assert.Equal(before + 1, _features.Revision);
        Assert.Single(_features.Enumerate(), static f => f.Key == typeof(IHttpRequestFeature));

        _features.Set(typeof(IHttpRequestFeature), _under.Call.Request);
        Assert.Same(_under.Call.Request, _features.Find(typeof(IHttpRequestFeature)));
        Assert.Single(_features.Enumerate(), static f => f.Key == typeof(IHttpRequestFeature));
    }

    [Theory]
    [InlineData(typeof(IHttpResetFeature))]
    [InlineData(typeof(IConnectionUserFeature))]
    public void Set_Nothing_HidesWhatIsBehind(Type type)
    {
        Assert.Contains(_features.Enumerate(), f => f.Key == type);

        _features.Set(type, null);

        Assert.Null(_features.Find(type));
        Assert.DoesNotContain(_features.Enumerate(), f => f.Key == type);
    }

    [Fact]
    public void AllowSynchronousIO_NotSet_IsWhatTheServerAllows()
    {
        IHttpBodyControlFeature control = _features;
        Assert.True(control.AllowSynchronousIO);

        control.AllowSynchronousIO = false;
        Assert.False(control.AllowSynchronousIO);
        _under.Kestrel.AllowSynchronousIO = false;
        _features.Reuse();
        Assert.False(control.AllowSynchronousIO);
    }

    [Fact]
    public void ConnectionId_NotSet_IsThatOfTheConnection()
    {
        IHttpConnectionFeature connection = _features;
        Assert.Equal(_under.Connection.ConnectionId, connection.ConnectionId);

        connection.ConnectionId = "own";
        Assert.Equal("own", connection.ConnectionId);
    }

    [Fact]
    public void Reuse_ApplicationHadSetMuch_IsAsNew()
    {
        IHttpConnectionFeature connection = _features;
        _features.Set(typeof(string), "own");
        _features.Set(typeof(IHttpResetFeature), null);
        connection.ConnectionId = "own";
        connection.RemotePort = 1;
        connection.LocalPort = 2;
        connection.RemoteIpAddress = connection.LocalIpAddress = System.Net.IPAddress.Loopback;
        var before = _features.Revision;

        _features.Reuse();

        Assert.True(_features.Revision > before);
        Assert.Null(_features.Find(typeof(string)));
        Assert.Same(_under.Call.Response, _features.Find(typeof(IHttpResetFeature)));
        Assert.Equal(_under.Connection.ConnectionId, connection.ConnectionId);
        Assert.Equal((0, 0), (connection.RemotePort, connection.LocalPort));
        Assert.Equal((null, null), (connection.RemoteIpAddress, connection.LocalIpAddress));
    }
}
