-- Forwards every instance that Orthanc stores to HMAR search, by STOW-RS.
-- Needs the plugin DICOMweb, with HMAR search as one of its servers (orthanc-stow.json).
--
-- The request is a job of Orthanc's own: storing does not wait for it, it outlives a restart of Orthanc, and
-- one that failed can be sent again (POST /jobs/{id}/resubmit).

local SERVER = 'hmar'
-- Reports, presentation states and the like are no images, and would be refused.
local NO_IMAGES = { SR = true, PR = true, KO = true, DOC = true, SEG = true, REG = true,
                    RTSTRUCT = true, RTPLAN = true, RTRECORD = true, ECG = true, AU = true }

function OnStoredInstance(instanceId, tags, metadata, origin)
  if NO_IMAGES[tags['Modality']] then
    return
  end
  local request = { Resources = { instanceId }, Synchronous = false }
  RestApiPost('/dicom-web/servers/' .. SERVER .. '/stow', DumpJson(request, true))
end
