using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>Says that the options of time-outs have changed.</summary>
internal sealed class ChangeSource : IOptionsChangeTokenSource<RequestTimeoutOptions>
{
    private ConfigurationReloadToken _token = new();

    public string Name => Options.DefaultName;

    public IChangeToken GetChangeToken() => _token;

    public void Change()
    {
        var before = _token;
        _token = new();
        before.OnReload();
    }
}
