//! How does a test use this driver without a loader, and with a script of its own for each instance?

use crate::ffi;
use crate::table;
use ash::vk::{self, Handle as _};
use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;

/// The type of the link in `VkInstanceCreateInfo`'s chain that carries a script; far beyond what Vulkan's registry gives away.
const SCRIPTED: vk::StructureType = vk::StructureType::from_raw(0x7FA4_E001);

/// A script for one instance, in the language of `UNWEDGE_FAKE_ICD`, as a link of `VkInstanceCreateInfo`'s chain.
///
/// ```no_run
/// # use ash::vk;
/// let script = std::ffi::CString::new("drop-fence=1").unwrap();
/// let mut script = fake_icd::Scripted::new(&script);
/// let info = vk::InstanceCreateInfo::default().push_next(&mut script);
/// ```
#[repr(C)]
#[allow(missing_debug_implementations, reason = "it is a pointer in disguise")]
pub struct Scripted<'a> {
    s_type: vk::StructureType,
    p_next: *const c_void,
    script: *const c_char,
    script_of: PhantomData<&'a CStr>,
}

impl<'a> Scripted<'a> {
    /// A link that carries this script; the environment is not looked at then.
    #[must_use]
    pub fn new(script: &'a CStr) -> Self {
        Self {
            s_type: SCRIPTED,
            p_next: std::ptr::null(),
            script: script.as_ptr(),
            script_of: PhantomData,
        }
    }
}

// SAFETY: the structure begins with its type and a pointer to the next link, as every link does.
unsafe impl vk::TaggedStructure for Scripted<'_> {
    const STRUCTURE_TYPE: vk::StructureType = SCRIPTED;
}

// SAFETY: this driver looks for the structure in this chain; every other reader passes over types that it does not know.
unsafe impl vk::ExtendsInstanceCreateInfo for Scripted<'_> {}

/// The script in the chain of an instance's create info, if there is one.
///
/// # Safety
///
/// `next` is null or begins a valid chain.
pub(crate) unsafe fn script_in<'a>(next: *const c_void) -> Option<&'a CStr> {
    // SAFETY: the caller's promise; a link of this type was made by `Scripted::new`, whose string it borrows.
    unsafe { ffi::find::<Scripted<'_>>(next).map(|scripted| CStr::from_ptr(scripted.script)) }
}

/// The driver's functions as `ash` wants them: no loader, no manifest, no layers.
///
/// An instance made through it obeys `UNWEDGE_FAKE_ICD`, unless a [`Scripted`] in its chain says otherwise.
#[must_use]
pub fn entry() -> ash::Entry {
    let functions = ash::StaticFn { get_instance_proc_addr };
    // SAFETY: the functions are those of a Vulkan implementation, and they stay for as long as the process.
    unsafe { ash::Entry::from_static_fn(functions) }
}

/// An instance for Vulkan 1.3 under a script of its own, with these extensions. Any number may live at once, in any threads.
///
/// # Errors
///
/// `ERROR_INITIALIZATION_FAILED` if the script cannot be understood; standard error says what is wrong with it.
pub fn instance(script: &str, extensions: &[&CStr]) -> Result<ash::Instance, vk::Result> {
    let script = CString::new(script).map_err(|_| vk::Result::ERROR_INITIALIZATION_FAILED)?;
    let mut script = Scripted::new(&script);
    let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
    let extensions: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
    let info = vk::InstanceCreateInfo::default()
        .application_info(&application)
        .enabled_extension_names(&extensions)
        .push_next(&mut script);
    // SAFETY: everything that `info` points to lives until the call returns.
    unsafe { entry().create_instance(&info, None) }
}

/// `vkGetInstanceProcAddr` with its own types.
unsafe extern "system" fn get_instance_proc_addr(
    instance: vk::Instance,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: the caller owes an instance of this driver or null, and our handles are pointers to our objects.
    let instance = unsafe { (instance.as_raw() as *const crate::instance::Instance).as_ref() };
    table::vk_icdGetInstanceProcAddr(instance, name)
}
