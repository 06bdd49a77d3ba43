using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>The forms of an address on the page mean what the page says.</summary>
public sealed class AddressesPageTests
{
    [Fact]
    public void Page_EachForm_IsReadAsItSays()
    {
        var forms = Rows().Where(static row => row.Length > 1 && row[1].StartsWith('`')).ToList();

        Assert.True(forms.Count >= 7);
        Assert.All(forms, static row =>
            Assert.Equal(Page.Code(row[1]), new SharedMemoryEndPoint(Page.Code(row[0])).Name));
    }

    [Fact]
    public void Page_EachTextThatIsNoAddress_IsRefused()
    {
        var refused = Rows().Where(static row => !row[1].StartsWith('`')).ToList();

        Assert.True(refused.Count >= 4);
        Assert.All(
            refused, static row => Assert.False(SharedMemoryEndPoint.TryParse(Page.Code(row[0]), out _), row[0]));
    }

    private static IEnumerable<string[]> Rows() =>
        Page.Rows(Page.Section(Page.Read("reference", "addresses.md"), "## Forms"));
}
