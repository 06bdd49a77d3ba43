using GrpcShm.AspNetCore.Hosting;

namespace GrpcShm.AspNetCore.Tests.Hosting;

/// <summary>Modes of files as people write them.</summary>
public sealed class FileModeTextTests
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private const UnixFileMode Everybody =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    [Theory]
    [InlineData("0660", OwnerAndGroup)]
    [InlineData("660", OwnerAndGroup)]
    [InlineData("000660", OwnerAndGroup)]
    [InlineData("0755", Everybody)]
    [InlineData("755", Everybody)]
    [InlineData(" 0755 ", Everybody)]
    [InlineData("0", UnixFileMode.None)]
    [InlineData("2660", OwnerAndGroup | UnixFileMode.SetGroup)]
    [InlineData("UserRead, UserWrite, GroupRead, GroupWrite", OwnerAndGroup)]
    [InlineData("userread,userwrite,groupread,groupwrite", OwnerAndGroup)]
    [InlineData("None", UnixFileMode.None)]
    public void TryParse_ModeOfAFile_IsRead(string text, UnixFileMode expected)
    {
        Assert.True(FileModeText.TryParse(text, out var mode));
        Assert.Equal(expected, mode);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("0668")]
    [InlineData("10000")]
    [InlineData("99999999999999999999")]
    [InlineData("-1")]
    [InlineData("+660")]
    [InlineData("0o660")]
    [InlineData("0x1b0")]
    [InlineData("rw-rw----")]
    [InlineData("UserRead UserWrite")]
    [InlineData("UserRead,")]
    [InlineData("UserRead, 4")]
    [InlineData("UserReed")]
    public void TryParse_NoModeOfAFile_IsRefused(string text) => Assert.False(FileModeText.TryParse(text, out _));
}
